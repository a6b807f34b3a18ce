package posix

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

func linkScripts() []script {
	return []script{
		{
			name: "hard-links", reason: "one file by several names in several directories, of each type but directories",
			prepare: []func(*place){func(p *place) {
				p.dir("d", 0o755)
				p.dir("d/e", 0o755)
				for _, k := range []string{"file", "dangling", "fifo", "dev", "socket"} {
					p.specimen(k, k)
				}
			}, func(p *place) {
				for _, k := range []string{"file", "dangling", "fifo", "dev", "socket"} {
					p.must(unix.Link(p.at(k), p.at("d/"+k)))
				}
			}},
			act: func(p *place) {
				for _, k := range []string{"file", "dangling", "fifo", "dev", "socket"} {
					p.link("d/"+k, "d/e/"+k)
					p.stat(k, "d/"+k, "d/e/"+k)
					p.res(unix.Lchown(p.at("d/"+k), 7, 8), "lchown")
					p.stat(k, "d/e/"+k)
				}
				p.chmod("d/e/file", 0o4711)
				p.truncate("d/file", 3)
				p.commit()
				for _, k := range []string{"file", "dangling", "fifo", "dev", "socket"} {
					p.unlink(k)
					p.stat("d/"+k, "d/e/"+k)
				}
				p.content("d/e/file")
				p.file("d/file", "written by another name")
				p.content("d/e/file")
				p.unlink("d/file")
				p.stat("d/e/file")
			},
		},
		{
			name: "link-follows", reason: "link(2) links symbolic links themselves, linkat(2) what they lead to if asked",
			prepare: []func(*place){func(p *place) { p.file("f", "x"); p.must(unix.Symlink("f", p.at("l"))) }},
			act: func(p *place) {
				p.link("l", "l2")
				p.res(unix.Linkat(unix.AT_FDCWD, p.at("l"), unix.AT_FDCWD, p.at("f2"), unix.AT_SYMLINK_FOLLOW), "linkat")
				p.stat("l", "l2", "f", "f2")
				fd := p.open("f", unix.O_RDONLY, 0)
				p.res(unix.Linkat(fd, "", unix.AT_FDCWD, p.at("f3"), unix.AT_EMPTY_PATH), "linkat of a descriptor")
				p.res(unix.Linkat(unix.AT_FDCWD, fmt.Sprint("/proc/self/fd/", fd), unix.AT_FDCWD, p.at("f4"), unix.AT_SYMLINK_FOLLOW), "linkat by /proc")
				p.stat("f", "f3", "f4")
				p.close(fd)
			},
		},
		{
			name: "nlink-of-directories", reason: "a directory has two links and one for each directory in it",
			prepare: []func(*place){func(p *place) {
				p.dir("d", 0o755)
				for i := range 4 {
					p.dir(fmt.Sprint("d/d", i), 0o755)
					p.file(fmt.Sprint("d/f", i), "")
				}
			}},
			act: func(p *place) {
				p.stat("d", "d/d0")
				p.mkdir("d/new", 0o755)
				p.rmdir("d/d1")
				p.stat("d")
				p.rename("d/d2", "d/d3")
				p.stat("d")
				p.rename("d/d3", "out")
				p.stat("d", ".")
				p.commit()
				p.stat("d", ".")
				p.rename("out", "d/in")
				p.unlink("d/f0")
				p.stat("d", ".")
			},
		},
		{
			name: "symlinks", reason: "a target is any 1 to 4095 bytes, followed or not",
			prepare: []func(*place){func(p *place) {
				p.dir("d", 0o755)
				p.file("d/f", "through a link")
				for name, target := range targets() {
					p.must(unix.Symlink(target, p.at(name)))
				}
			}},
			act: func(p *place) {
				for _, name := range []string{"t1", "t255", "t256", "t1000", "t1023", "t1024", "t2048", "t4095", "bytes", "slashes", "dots", "up", "root", "dir"} {
					p.stat(name)
					p.readlink(name)
				}
				p.symlink(strings.Repeat("x", 4095), "new4095")
				p.symlink(strings.Repeat("x", 4096), "new4096")
				p.readlink("new4095")
				p.content("dir/f")
				p.content("up")
				p.list("dir")
				p.unlink("t4095")
				p.commit()
				p.readlink("new4095")
				p.stat("new4095", "t4095")
				p.rename("new4095", "d/moved")
				p.readlink("d/moved")
				b := make([]byte, 3)
				n, err := unix.Readlink(p.at("dir"), b)
				p.note("readlink with a small buffer: %d %q %s", n, b[:max(n, 0)], result(err))
			},
		},
		{
			name: "unlink-of-open-files", reason: "an open file lives on without a name, and nlink is 0",
			prepare: []func(*place){func(p *place) {
				for _, name := range []string{"f", "g", "h"} {
					p.file(name, pattern(9000, name[0]))
				}
				p.must(unix.Link(p.at("h"), p.at("h2")))
			}},
			act: func(p *place) {
				f, g, h := p.open("f", unix.O_RDWR, 0), p.open("g", unix.O_RDONLY, 0), p.open("h", unix.O_RDWR, 0)
				fresh := p.open("fresh", unix.O_RDWR|unix.O_CREAT, 0o644)
				p.write(fresh, "made and removed")
				for _, name := range []string{"f", "g", "h", "fresh"} {
					p.unlink(name)
				}
				p.stat("f", "h2")
				for i, fd := range []int{f, g, h, fresh} {
					p.fstat(fd, fmt.Sprint("descriptor ", i))
					p.pread(fd, 10000, 0)
				}
				p.pwrite(f, "still written", 100)
				p.ftruncate(f, 5000)
				p.res(unix.Fchmod(f, 0o600), "fchmod")
				p.res(unix.Fchown(f, 3, 4), "fchown")
				p.res(unix.Fsetxattr(f, "user.x", []byte("y"), 0), "fsetxattr")
				p.res(unix.Linkat(unix.AT_FDCWD, fmt.Sprint("/proc/self/fd/", f), unix.AT_FDCWD, p.at("again"), unix.AT_SYMLINK_FOLLOW), "linkat of what has no name")
				p.commit()
				for i, fd := range []int{f, g, h, fresh} {
					p.fstat(fd, fmt.Sprint("descriptor ", i))
					p.pread(fd, 10000, 0)
				}
				p.pwrite(f, "after a commit", 0)
				p.pread(f, 40, 0)
				p.file("f", "a new file of that name")
				p.pread(f, 20, 0)
				p.content("f")
				p.content("h2")
				p.pwrite(h, "by the nameless descriptor", 0)
				p.content("h2")
			},
		},
		{
			name: "rmdir-of-open-directories", reason: "a removed directory is empty, and nothing is made in it",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o755); p.dir("e", 0o755); p.file("f", "x") }},
			act: func(p *place) {
				d, e := p.open("d", unix.O_RDONLY|unix.O_DIRECTORY, 0), p.open("e", unix.O_RDONLY|unix.O_DIRECTORY, 0)
				p.rmdir("d")
				p.mkdir("g", 0o755)
				p.rename("g", "e")
				for i, fd := range []int{d, e} {
					p.fstat(fd, fmt.Sprint("descriptor ", i))
					_, err := unix.Openat(fd, "new", unix.O_CREAT|unix.O_WRONLY, 0o644)
					p.res(err, "create in a removed directory")
					p.res(unix.Mkdirat(fd, "new", 0o755), "mkdirat")
					p.res(unix.Linkat(unix.AT_FDCWD, p.at("f"), fd, "new", 0), "linkat")
					p.res(unix.Renameat(unix.AT_FDCWD, p.at("f"), fd, "new"), "renameat")
					p.res(unix.Symlinkat("x", fd, "new"), "symlinkat")
					_, err = unix.Openat(fd, "..", unix.O_RDONLY|unix.O_CLOEXEC, 0)
					p.res(err, "openat '..'")
					n, err := unix.ReadDirent(fd, make([]byte, 4096))
					p.note("entries: %t %s", n > 0, result(err))
				}
				p.commit()
				p.fstat(d, "descriptor of d")
				p.res(unix.Mkdirat(d, "new", 0o755), "mkdirat after a commit")
				p.list(".")
			},
		},
		{
			name: "many-links", reason: "a thousand names of one file",
			prepare: []func(*place){func(p *place) {
				p.file("f", "x")
				p.dir("d", 0o755)
				for i := range 500 {
					p.must(unix.Link(p.at("f"), p.at(fmt.Sprint("d/a", i))))
				}
			}},
			act: func(p *place) {
				for i := range 500 {
					p.must(unix.Link(p.at("f"), p.at(fmt.Sprint("d/b", i))))
				}
				p.stat("f", "d/a0", "d/a499", "d/b499")
				p.commit()
				for i := range 500 {
					p.must(unix.Unlink(p.at(fmt.Sprint("d/a", i))))
				}
				p.unlink("f")
				p.stat("d/b0", "d/b499")
				p.list("d")
			},
		},
	}
}

func targets() map[string]string {
	long := func(n int) string { return strings.Repeat("directory/", n/10+1)[:n-1] + "x" }
	return map[string]string{
		"t1": "x", "t255": strings.Repeat("t", 255), "t256": long(256), "t1000": long(1000), "t1023": long(1023), "t1024": long(1024),
		"t2048": long(2048), "t4095": long(4095), "bytes": "\xff\xfe/\x01\n", "slashes": "a//b///", "dots": "./../.././x/..", "up": "../symlinks/d/f",
		"root": "/", "dir": "d",
	}
}
