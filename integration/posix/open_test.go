package posix

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func openScripts() []script {
	return []script{
		{
			name: "open-flags", reason: "O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_PATH on each type of file",
			prepare: []func(*place){func(p *place) {
				for _, k := range []string{"file", "full", "link", "dangling", "socket"} {
					p.specimen(k, k)
				}
				p.must(unix.Symlink("file", p.at("to-file")))
			}},
			act: func(p *place) {
				for _, name := range []string{"file", "full", "link", "dangling", "to-file", "socket", "missing"} {
					for _, flags := range []int{
						unix.O_RDONLY, unix.O_RDWR, unix.O_RDONLY | unix.O_DIRECTORY, unix.O_RDONLY | unix.O_NOFOLLOW,
						unix.O_DIRECTORY | unix.O_NOFOLLOW, unix.O_PATH, unix.O_PATH | unix.O_NOFOLLOW, unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL,
						unix.O_WRONLY | unix.O_CREAT | unix.O_NOFOLLOW, unix.O_RDONLY | unix.O_NOATIME, unix.O_RDWR | unix.O_SYNC,
						unix.O_WRONLY | unix.O_APPEND, unix.O_WRONLY | unix.O_TRUNC | unix.O_NOFOLLOW,
					} {
						if fd := p.open(name, flags, 0o640); fd >= 0 {
							p.fstat(fd, name)
							p.close(fd)
						}
					}
				}
				p.open("dangling", unix.O_WRONLY|unix.O_CREAT, 0o604)
				p.stat("nowhere", "dangling")
				p.commit()
				p.stat("nowhere", "dangling", "file", "missing")
			},
		},
		{
			name: "O_TRUNC", reason: "an open with O_TRUNC empties a file for everybody, at once",
			prepare: []func(*place){func(p *place) { p.file("f", pattern(20000, 3)); p.file("g", pattern(20000, 4)) }},
			act: func(p *place) {
				old := p.open("f", unix.O_RDWR, 0)
				p.pread(old, 5, 10000)
				fd := p.open("f", unix.O_RDWR|unix.O_TRUNC, 0)
				p.stat("f")
				p.pread(old, 10, 0)
				p.write(fd, "new")
				p.pread(old, 10, 0)
				p.commit()
				p.pread(old, 10, 0)
				p.pwrite(old, "x", 5000)
				p.content("f")
				p.open("g", unix.O_RDONLY|unix.O_TRUNC, 0)
				p.stat("g")
				p.commit()
				p.stat("f", "g")
				p.content("f")
			},
		},
		{
			name: "O_APPEND", reason: "each write goes to the end, also of several processes",
			prepare: []func(*place){func(p *place) { p.file("f", "old\n"); p.file("log", "") }},
			act: func(p *place) {
				fd, plain := p.open("f", unix.O_RDWR|unix.O_APPEND, 0), p.open("f", unix.O_RDWR, 0)
				p.write(fd, "one\n")
				p.pwrite(plain, "behind the end\n", 8)
				p.write(fd, "two\n")
				p.seek(fd, 0, unix.SEEK_SET)
				p.write(fd, "three\n")
				p.commit()
				p.write(fd, "four\n")
				p.note("position %d", p.seek(fd, 0, unix.SEEK_CUR))
				p.pwrite(fd, "five: Linux appends with pwrite, too\n", 0)
				p.ftruncate(plain, 4)
				p.write(fd, "six\n")
				p.content("f")
				var waits []func() (string, error)
				for w := range 3 {
					wait, err := startTask(task{Do: "append", Args: []string{p.at("log"), fmt.Sprint(w), "200"}})
					p.must(err)
					waits = append(waits, wait)
				}
				for _, wait := range waits {
					_, err := wait()
					p.must(err)
				}
				p.note("lines of three processes: %s", checkLog(p.at("log"), 3, 200))
			},
		},
		{
			name: "O_EXCL-race", reason: "of several that create one name with O_EXCL one wins",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o755) }},
			act: func(p *place) {
				for i := range 30 {
					name := p.at(fmt.Sprint("d/f", i))
					won, lost := 0, 0
					for _, err := range atOnce(4, func(int) error {
						fd, err := unix.Open(name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o644)
						if err == nil {
							err = unix.Close(fd)
						}
						return err
					}) {
						switch err {
						case nil:
							won++
						case unix.EEXIST:
							lost++
						}
					}
					p.note("%d won, %d lost", won, lost)
				}
			},
		},
		{
			name: "O_TMPFILE", reason: "programs fall back where a file system has no nameless files",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o755) }},
			act:     func(p *place) { p.open("d", unix.O_TMPFILE|unix.O_RDWR, 0o600); p.list("d") },
			differs: []difference{{"open d RDWR|TMPFILE 600 = ok", "open d RDWR|TMPFILE 600 = ENOTSUP", "bazil.org/fuse does not know FUSE_TMPFILE"}},
		},
		{
			name: "openat", reason: "names are looked up from a directory's descriptor, wherever it is now",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o755); p.file("d/f", "x"); p.dir("other", 0o755) }},
			act: func(p *place) {
				d, f := p.open("d", unix.O_RDONLY|unix.O_DIRECTORY, 0), p.open("d/f", unix.O_RDONLY, 0)
				p.rename("d", "other/moved")
				fd, err := unix.Openat(d, "new", unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o644)
				p.res(err, "openat")
				p.must(unix.Close(fd))
				p.res(unix.Mkdirat(d, "sub", 0o700), "mkdirat")
				p.res(unix.Renameat(d, "f", d, "sub/f"), "renameat")
				p.res(unix.Linkat(d, "sub/f", d, "f2", 0), "linkat")
				p.res(unix.Symlinkat("target", d, "l"), "symlinkat")
				p.res(unix.Mknodat(d, "p", unix.S_IFIFO|0o600, 0), "mknodat")
				p.res(unix.Fchmodat(d, "f2", 0o600, 0), "fchmodat")
				p.res(unix.Fchownat(d, "l", 4, 5, unix.AT_SYMLINK_NOFOLLOW), "fchownat")
				p.res(unix.Fchownat(d, "", 6, 7, unix.AT_EMPTY_PATH), "fchownat of the directory")
				p.res(unix.Faccessat(d, "f2", unix.R_OK, 0), "faccessat")
				p.commit()
				p.res(unix.Unlinkat(d, "sub/f", 0), "unlinkat")
				p.res(unix.Unlinkat(d, "sub", unix.AT_REMOVEDIR), "unlinkat of a directory")
				_, err = unix.Openat(f, "x", unix.O_RDONLY, 0)
				p.res(err, "openat of a file")
				_, err = unix.Openat(-5, "x", unix.O_RDONLY, 0)
				p.res(err, "openat of nothing")
				p.list("other/moved")
				p.stat("other/moved", "other/moved/f2", "other/moved/l", "other/moved/p")
				how := &unix.OpenHow{Flags: unix.O_RDONLY, Resolve: unix.RESOLVE_BENEATH}
				_, err = unix.Openat2(d, "../x", how)
				p.res(err, "openat2 out of the directory")
			},
		},
		{
			name: "O_DIRECT-O_SYNC", reason: "what is written past the cache is what the cache shows",
			prepare: []func(*place){func(p *place) { p.file("f", pattern(16384, 5)) }},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR|unix.O_SYNC, 0)
				p.pread(fd, 100, 4000)
				direct := p.open("f", unix.O_RDWR|unix.O_DIRECT, 0)
				b := aligned(4096, 'd')
				n, err := unix.Pwrite(direct, b, 4096)
				p.note("direct write %d %s", n, result(err))
				p.pread(fd, 100, 4090)
				p.pwrite(fd, "by the cache", 8192)
				n, err = unix.Pread(direct, b, 8192)
				p.note("direct read %d %s %q", n, result(err), b[:20])
				p.commit()
				n, err = unix.Pread(direct, b, 4096)
				p.note("direct read %d %s %q", n, result(err), b[:20])
				p.content("f")
			},
		},
	}
}
