package posix

import (
	"os"

	"golang.org/x/sys/unix"
)

func dataScripts() []script {
	old := func(p *place) { p.file("f", pattern(70000, 7)) }
	return []script{
		{
			name: "truncate", reason: "down cuts, up is zeros, and what was cut does not come back",
			prepare: []func(*place){old},
			act: func(p *place) {
				for _, size := range []int64{69999, 65536, 70000, 4097, 4096, 8192, 4095, 1, 3, 0, 5, 2048, 2049, 131072, 131073, 7} {
					p.truncate("f", size)
					p.stat("f")
					p.content("f")
				}
				p.commit()
				p.truncate("f", 100000)
				p.content("f")
				fd := p.open("f", unix.O_RDWR, 0)
				p.pwrite(fd, "x", 99999)
				p.ftruncate(fd, 99999)
				p.ftruncate(fd, 100001)
				p.content("f")
			},
		},
		{
			name: "overwrite", reason: "bytes of the disc and new ones side by side, at and around the edges of blocks and pages",
			prepare: []func(*place){old, func(p *place) {
				f, err := os.OpenFile(p.at("f"), os.O_WRONLY, 0)
				p.must(err)
				_, err = f.WriteAt([]byte(pattern(3000, 99)), 30000)
				p.must(err)
				p.must(f.Close())
			}},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				for _, off := range []int64{0, 1, 2047, 2048, 4095, 4096, 30000, 32999, 65535, 69999, 70000, 71000} {
					p.pwrite(fd, "<new>", off)
					p.pread(fd, 20, max(off-5, 0))
				}
				p.content("f")
				p.commit()
				p.content("f")
				p.pwrite(fd, pattern(50000, 50), 10001)
				p.content("f")
				p.commit()
				p.pread(fd, 70000, 1)
			},
		},
		{
			name: "holes", reason: "what was never written is zeros; data is where it was written",
			prepare: []func(*place){func(p *place) {
				f, err := os.Create(p.at("f"))
				p.must(err)
				_, err = f.WriteAt([]byte("at one megabyte"), 1<<20)
				p.must(err)
				p.must(f.Truncate(3 << 20))
				p.must(f.Close())
			}},
			act: func(p *place) {
				p.stat("f")
				p.content("f")
				fd := p.open("f", unix.O_RDWR, 0)
				p.seekWeakly(fd, 0, 3<<20, 1<<20)
				p.pwrite(fd, "at two", 2<<20)
				p.seekWeakly(fd, 0, 3<<20, 1<<20, 2<<20)
				p.commit()
				p.seekWeakly(fd, 0, 3<<20, 1<<20, 2<<20)
				p.content("f")
				_, err := unix.Seek(fd, 3<<20, unix.SEEK_DATA)
				p.res(err, "SEEK_DATA at the end")
				_, err = unix.Seek(fd, 3<<20+1, unix.SEEK_HOLE)
				p.res(err, "SEEK_HOLE behind the end")
				_, err = unix.Seek(fd, -1, unix.SEEK_DATA)
				p.res(err, "SEEK_DATA before the beginning")
				p.seek(fd, 10, unix.SEEK_END)
				p.seek(fd, -10, unix.SEEK_CUR)
				p.seek(fd, -5<<20, unix.SEEK_CUR)
			},
		},
		{
			name: "sparse-sizes", reason: "sizes beyond 4 GiB cost nothing; EFBIG beyond what can be",
			prepare: []func(*place){func(p *place) { p.file("f", "x"); p.file("big", "at the beginning") }},
			act: func(p *place) {
				// Holes are burned as zeros: this one is gone before a commit.
				p.truncate("big", 1<<32+1<<20)
				p.stat("big")
				fd := p.open("big", unix.O_RDWR, 0)
				p.pread(fd, 10, 1<<32+1<<20-5)
				p.pwrite(fd, "beyond 32 bits", 1<<32+5)
				p.pread(fd, 20, 1<<32+3)
				p.ftruncate(fd, 100)
				p.close(fd)
				p.stat("big")
				p.content("big")
				p.truncate("f", 1<<62)
				fd = p.open("f", unix.O_RDWR, 0)
				p.pwrite(fd, "x", 1<<63-2)
				p.res(unix.Fallocate(fd, 0, 1<<62, 1<<62), "fallocate")
				p.res(unix.Fallocate(fd, 0, 1<<63-1, 1), "fallocate at the end of numbers")
				p.stat("f")
			},
			differs: []difference{
				{"truncate f 4611686018427387904 = ok", "truncate f 4611686018427387904 = EFBIG", "no disc takes a file beyond 128 GiB"},
				{"pwrite 1 bytes at 9223372036854775806 = 1 ok", "pwrite 1 bytes at 9223372036854775806 = -1 EFBIG", "no disc takes a file beyond 128 GiB"},
				{"lstat f = 100644 0:0 nlink 1 inode of f size 9223372036854775807", "lstat f = 100644 0:0 nlink 1 inode of f size 1", "no disc takes a file beyond 128 GiB"},
			},
		},
		{
			name: "fallocate", reason: "each mode: size, content, refusal",
			prepare: []func(*place){old, func(p *place) { p.file("small", "small") }},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				const punch, zero, keep = unix.FALLOC_FL_PUNCH_HOLE, unix.FALLOC_FL_ZERO_RANGE, unix.FALLOC_FL_KEEP_SIZE
				for _, c := range []struct {
					mode     uint32
					off, len int64
				}{
					{0, 0, 1000}, {0, 60000, 20000}, {keep, 70000, 50000}, {keep, 200000, 10}, {punch | keep, 100, 5000}, {punch | keep, 79000, 5000},
					{punch | keep, 100000, 10}, {punch, 0, 10}, {punch | keep, 4096, 8192}, {unix.FALLOC_FL_INSERT_RANGE | keep, 0, 4096},
					{unix.FALLOC_FL_COLLAPSE_RANGE | keep, 0, 4096}, {1 << 20, 0, 10}, {punch | zero | keep, 0, 10},
				} {
					p.res(unix.Fallocate(fd, c.mode, c.off, c.len), "fallocate %x %d %d", c.mode, c.off, c.len)
					p.fstat(fd, "f")
				}
				p.content("f")
				p.commit()
				p.content("f")
				p.res(unix.Fallocate(fd, punch|keep, 0, 200000), "punch all")
				p.content("f")
				small := p.open("small", unix.O_RDWR, 0)
				p.res(unix.Fallocate(small, 0, 0, 100000), "fallocate")
				p.content("small")
				p.stat("small")
			},
		},
		{
			name: "fallocate-zero-range", reason: "FALLOC_FL_ZERO_RANGE, which a tmpfs lacks, zeros and grows",
			prepare: []func(*place){old},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				p.res(unix.Fallocate(fd, unix.FALLOC_FL_ZERO_RANGE|unix.FALLOC_FL_KEEP_SIZE, 100, 1000), "zero 100 1000")
				p.res(unix.Fallocate(fd, unix.FALLOC_FL_ZERO_RANGE, 69990, 20), "zero 69990 20")
				b := make([]byte, 1200)
				n, err := unix.Pread(fd, b, 50)
				p.must(err)
				zeros := 0
				for _, c := range b[:n] {
					if c == 0 {
						zeros++
					}
				}
				p.note("of 1200 bytes 1000 or more are zeros: %t", zeros >= 1000)
				p.fstat(fd, "f")
			},
			differs: []difference{
				{"zero 100 1000 = ENOTSUP", "zero 100 1000 = ok", "burnfs does what a tmpfs does not"},
				{"zero 69990 20 = ENOTSUP", "zero 69990 20 = ok", "burnfs does what a tmpfs does not"},
				{"of 1200 bytes 1000 or more are zeros: false", "of 1200 bytes 1000 or more are zeros: true", "burnfs does what a tmpfs does not"},
				{"fstat f = 100644 0:0 nlink 1 inode of f size 70000", "fstat f = 100644 0:0 nlink 1 inode of f size 70010", "burnfs does what a tmpfs does not"},
			},
		},
		{
			name: "copying-calls", reason: "copy_file_range, sendfile, splice and FICLONE: done, or refused so that programs fall back",
			prepare: []func(*place){old},
			act: func(p *place) {
				from, to := p.open("f", unix.O_RDONLY, 0), p.open("g", unix.O_RDWR|unix.O_CREAT, 0o644)
				off := func(n int64) *int64 { return &n }
				n, err := unix.CopyFileRange(from, off(1000), to, off(5), 30000, 0)
				p.note("copy_file_range %d %s", n, result(err))
				p.content("g")
				n, err = unix.CopyFileRange(to, off(0), to, off(10), 100, 0)
				p.note("copy_file_range onto itself %d %s", n, result(err))
				n, err = unix.CopyFileRange(from, off(80000), to, off(0), 100, 0)
				p.note("copy_file_range of nothing %d %s", n, result(err))
				zero := int64(0)
				n, err = unix.Sendfile(to, from, &zero, 20000)
				p.note("sendfile %d %s", n, result(err))
				p.content("g")
				p.commit()
				p.content("g")
				p.res(unix.IoctlFileClone(to, from), "FICLONE")
				p.changes("copy_file_range", []string{"f", "g"}, func() {
					n, err = unix.CopyFileRange(from, off(0), to, off(60000), 20000, 0)
					p.note("copy_file_range %d %s", n, result(err))
				})
				p.content("g")
			},
		},
		{
			name: "vectors", reason: "readv, writev, preadv, pwritev, and reads across the end",
			prepare: []func(*place){old},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				n, err := unix.Pwritev(fd, [][]byte{[]byte("one"), nil, []byte("two"), []byte(pattern(5000, 1))}, 66000)
				p.note("pwritev %d %s", n, result(err))
				bufs := [][]byte{make([]byte, 10), make([]byte, 3000), make([]byte, 9000)}
				n, err = unix.Preadv(fd, bufs, 65990)
				p.note("preadv %d %s %q", n, result(err), bufs[0])
				p.pread(fd, 100, 70990)
				p.pread(fd, 100, 71006)
				p.pread(fd, 100, 200000)
				p.pread(fd, 0, 0)
				p.commit()
				p.pread(fd, 100, 70990)
				p.stat("f")
			},
		},
	}
}

// seekWeakly checks what SEEK_DATA and SEEK_HOLE must say in any case: what was
// written at the given places is data, the end of the file is a hole, and what
// is said to be a hole before it reads as zeros.
func (p *place) seekWeakly(fd int, from, size int64, data ...int64) {
	verdict := "consistent"
	for at := from; at < size; {
		d, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if err == unix.ENXIO {
			d = size
		} else if err != nil {
			verdict = result(err)
			break
		}
		for _, w := range data {
			if w >= at && w < d {
				verdict = "data is called a hole"
			}
		}
		if d < at {
			verdict = "went back"
			break
		}
		if d >= size {
			break
		}
		h, err := unix.Seek(fd, d, unix.SEEK_HOLE)
		if err != nil || h <= d || h > size {
			verdict = "no hole behind data"
			break
		}
		at = h
	}
	p.note("SEEK_DATA and SEEK_HOLE: %s", verdict)
	_, err := unix.Seek(fd, 0, unix.SEEK_SET)
	p.must(err)
}
