package posix

import (
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// mapFile maps a file.
func (p *place) mapFile(fd, size, prot, flags int) []byte {
	b, err := unix.Mmap(fd, 0, size, prot, flags)
	p.res(err, "mmap %d %d %d", size, prot, flags)
	p.must(err)
	return b
}

// fault notes whether touching a byte ends in SIGBUS.
func (p *place) fault(what string, touch func()) {
	defer func() {
		v := recover()
		if e, ok := v.(runtime.Error); ok {
			_, isFault := e.(interface{ Addr() uintptr })
			p.note("%s: fault %t", what, isFault)
		} else if v != nil {
			panic(v)
		} else {
			p.note("%s: no fault", what)
		}
	}()
	touch()
}

func mapScripts() []script {
	const rw = unix.PROT_READ | unix.PROT_WRITE
	old := func(p *place) { p.file("f", pattern(20000, 9)) }
	return []script{
		{
			name: "mmap-coherence", reason: "what a shared mapping changes, read(2) sees, and the other way round, at once",
			prepare: []func(*place){old},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				m := p.mapFile(fd, 20000, rw, unix.MAP_SHARED)
				p.bytes("mapped", m)
				copy(m[4090:], "across pages")
				p.pread(fd, 20, 4088)
				p.pwrite(fd, "by write", 10000)
				p.note("mapped %q", m[9998:10010])
				p.commit()
				copy(m[100:], "after a commit")
				p.pread(fd, 20, 98)
				p.content("f")
				p.res(unix.Msync(m, unix.MS_SYNC), "msync")
				p.commit()
				p.note("mapped %q", m[98:118])
				p.res(unix.Msync(m, unix.MS_ASYNC|unix.MS_INVALIDATE), "msync async, invalidate")
				p.pwrite(fd, "once more", 98)
				p.note("mapped %q", m[98:118])
				p.close(fd)
				copy(m[15000:], "after close")
				p.res(unix.Munmap(m), "munmap")
				p.commit()
				p.content("f")
			},
		},
		{
			name: "mmap-private", reason: "a private mapping changes nothing but itself",
			prepare: []func(*place){old},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDONLY, 0)
				m := p.mapFile(fd, 20000, rw, unix.MAP_PRIVATE)
				copy(m[10:], "private")
				p.note("mapped %q", m[8:20])
				p.content("f")
				p.commit()
				p.bytes("mapped", m)
				_, err := unix.Mmap(fd, 0, 4096, rw, unix.MAP_SHARED)
				p.res(err, "a shared writable mapping of what is open for reading")
				p.res(unix.Munmap(m), "munmap")
				p.content("f")
			},
		},
		{
			name: "mmap-truncate", reason: "beyond the page of the end there is SIGBUS, up to it zeros that are not kept",
			prepare: []func(*place){old},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				m := p.mapFile(fd, 20000, rw, unix.MAP_SHARED)
				p.ftruncate(fd, 5000)
				p.fault("read below the end", func() { _ = p.one(m, 4999) })
				p.fault("read in the last page", func() { _ = p.one(m, 5001) })
				p.fault("read beyond", func() { _ = p.one(m, 8192) })
				p.fault("write beyond", func() { m[12288] = 1 })
				p.fault("write behind the end", func() { copy(m[5000:], "lost") })
				p.ftruncate(fd, 20000)
				p.pread(fd, 10, 5000)
				p.fault("read of what grew", func() { p.note("byte %d", p.one(m, 12288)) })
				m[12288] = 'x'
				p.commit()
				p.content("f")
				p.ftruncate(fd, 0)
				p.fault("read of the empty file", func() { _ = p.one(m, 0) })
				p.res(unix.Munmap(m), "munmap")
				p.stat("f")
			},
		},
		{
			name: "mmap-processes", reason: "two processes share one mapping's bytes",
			prepare: []func(*place){old},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				m := p.mapFile(fd, 20000, rw, unix.MAP_SHARED)
				for i, off := range []int{0, 4096, 19999} {
					m[off] = byte('a' + i)
					out, err := runTask(task{Do: "map", Args: []string{p.at("f"), strconv.Itoa(off), string(rune('A' + i))}})
					p.must(err)
					p.note("the other saw %s, we see %q", out, p.one(m, off))
					p.commit()
				}
				p.res(unix.Munmap(m), "munmap")
				p.content("f")
			},
		},
		{
			name: "mmap-of-removed", reason: "a mapping keeps a file without a name alive",
			prepare: []func(*place){old},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				m := p.mapFile(fd, 20000, rw, unix.MAP_SHARED)
				p.close(fd)
				p.unlink("f")
				copy(m[1:], "still here")
				p.commit()
				p.bytes("mapped", m)
				p.res(unix.Msync(m, unix.MS_SYNC), "msync")
				p.res(unix.Munmap(m), "munmap")
				p.list(".")
			},
		},
		{
			name: "mmap-time", reason: "what a mapping writes is a change of mtime, at the latest with msync",
			prepare: []func(*place){func(p *place) {
				old(p)
				p.utimens("f", unix.Timespec{Sec: 1e9}, unix.Timespec{Sec: 1e9})
			}},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				m := p.mapFile(fd, 20000, rw, unix.MAP_SHARED)
				p.changes("mapped write and msync", []string{"f"}, func() { m[5] = 'x'; p.res(unix.Msync(m, unix.MS_SYNC), "msync") })
				p.res(unix.Munmap(m), "munmap")
			},
		},
		{
			name: "msync-and-madvise", reason: "hints are taken",
			prepare: []func(*place){old},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				m := p.mapFile(fd, 16384, rw, unix.MAP_SHARED)
				for _, advice := range []int{unix.MADV_WILLNEED, unix.MADV_DONTNEED, unix.MADV_SEQUENTIAL, unix.MADV_RANDOM} {
					p.res(unix.Madvise(m, advice), "madvise %d", advice)
				}
				p.res(unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED), "fadvise")
				p.res(unix.Mlock(m), "mlock")
				p.bytes("mapped", m)
				p.res(unix.Munmap(m), "munmap")
				_, err := unix.Mmap(p.open(".", unix.O_RDONLY, 0), 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
				p.res(err, "mmap of a directory")
			},
		},
	}
}

// one reads a byte that may fault.
func (p *place) one(m []byte, at int) byte {
	p.last = m[at] // kept, so that it is read
	return p.last
}
