package posix

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func timeScripts() []script {
	now, omit := unix.Timespec{Nsec: unix.UTIME_NOW}, unix.Timespec{Nsec: unix.UTIME_OMIT}
	moments := []unix.Timespec{
		{Sec: 0}, {Sec: 0, Nsec: 1}, {Sec: 1_000_000_000, Nsec: 999_999_999}, {Sec: -1}, {Sec: -1, Nsec: 1}, {Sec: -315619200, Nsec: 750_000_000},
		{Sec: 1<<31 - 1, Nsec: 5}, {Sec: 1 << 31, Nsec: 6}, {Sec: 1 << 32, Nsec: 7}, {Sec: 4_102_444_800, Nsec: 123_456_789},
	}
	kinds := []string{"f", "d", "l", "p", "c", "s"}
	specimens := func(p *place) {
		p.file("f", "content")
		p.dir("d", 0o755)
		p.must(unix.Symlink("f", p.at("l")))
		p.must(unix.Mkfifo(p.at("p"), 0o644))
		p.must(unix.Mknod(p.at("c"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))))
		p.must(unix.Mknod(p.at("s"), unix.S_IFSOCK|0o644, 0))
	}
	return []script{
		{
			name: "utimensat", reason: "nanoseconds, now, omit and times before 1970, of each type of file",
			prepare: []func(*place){specimens},
			act: func(p *place) {
				for _, name := range kinds {
					for i, m := range moments {
						p.utimens(name, m, moments[len(moments)-1-i])
						p.showTimes(name)
					}
					p.utimens(name, moments[2], moments[3])
					p.utimens(name, omit, moments[5])
					p.showTimes(name)
					p.utimens(name, moments[4], omit)
					p.showTimes(name)
					p.changes("now for both", []string{name}, func() { p.utimens(name, now, now) })
					p.changes("now for mtime", []string{name}, func() { p.utimens(name, omit, now) })
					p.changes("now for atime", []string{name}, func() { p.utimens(name, now, omit) })
					p.changes("omit both", []string{name}, func() { p.utimens(name, omit, omit) })
					p.utimens(name, unix.Timespec{Nsec: 1e9}, omit)
					p.utimens(name, omit, unix.Timespec{Nsec: -5})
					p.utimens(name, moments[5], moments[4])
				}
				p.commit()
				for _, name := range kinds {
					p.showTimes(name)
				}
			},
		},
		{
			name: "times-were-kept", reason: "times that were set are the same in all later sessions",
			prepare: []func(*place){func(p *place) {
				for i, m := range moments {
					p.file(fmt.Sprint("f", i), "x")
					p.utimens(fmt.Sprint("f", i), m, moments[len(moments)-1-i])
				}
			}, func(p *place) {
				specimens(p)
				for i, name := range kinds {
					p.utimens(name, moments[i], moments[i+3])
				}
			}},
			act: func(p *place) {
				for i := range moments {
					p.showTimes(fmt.Sprint("f", i))
				}
				for _, name := range kinds {
					p.showTimes(name)
				}
				p.changes("chmod", []string{"f4"}, func() { p.chmod("f4", 0o600) })
				p.commit()
				p.showTimes("f4")
				p.content("f4")
			},
		},
		{
			name: "times-of-data", reason: "a change of content is mtime and ctime, an empty write none",
			prepare: []func(*place){func(p *place) { p.file("f", pattern(10000, 1)); p.file("g", "0123456789") }},
			act: func(p *place) {
				f := []string{"f"}
				fd := p.open("f", unix.O_RDWR, 0)
				p.changes("write", f, func() { p.write(fd, "x") })
				p.changes("write of nothing", f, func() { p.write(fd, "") })
				p.changes("pwrite beyond the end", f, func() { p.pwrite(fd, "x", 20000) })
				p.changes("ftruncate down", f, func() { p.ftruncate(fd, 5000) })
				p.changes("ftruncate up", f, func() { p.ftruncate(fd, 6000) })
				p.changes("ftruncate to the same size", f, func() { p.ftruncate(fd, 6000) })
				p.changes("truncate", f, func() { p.truncate("f", 100) })
				p.changes("truncate to the same size", f, func() { p.truncate("f", 100) })
				p.changes("fallocate", f, func() { p.res(unix.Fallocate(fd, 0, 0, 9000), "fallocate") })
				p.changes("punch", f, func() {
					p.res(unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4096), "punch")
				})
				p.changes("fsync", f, func() { p.res(unix.Fsync(fd), "fsync") })
				p.commit()
				p.changes("write after a commit", f, func() { p.pwrite(fd, "y", 3) })
				p.changes("nothing but time", f, func() {})
				p.close(fd)
				p.changes("open and close", f, func() { p.close(p.open("f", unix.O_RDWR, 0)) })
				p.changes("open with O_TRUNC", f, func() { p.close(p.open("f", unix.O_WRONLY|unix.O_TRUNC, 0)) })
				p.changes("open of an empty file with O_TRUNC", f, func() { p.close(p.open("f", unix.O_WRONLY|unix.O_TRUNC, 0)) })
				p.changes("open with O_CREAT of what is there", []string{"g", "."}, func() { p.close(p.open("g", unix.O_WRONLY|unix.O_CREAT, 0o600)) })
				p.stat("g")
			},
		},
		{
			name: "times-of-attributes", reason: "chmod, chown, link, xattrs are ctime alone; what fails changes nothing",
			prepare: []func(*place){specimens},
			act: func(p *place) {
				for _, name := range []string{"f", "d", "p", "c", "s"} {
					n := []string{name, "."}
					p.changes("chmod", n, func() { p.chmod(name, 0o600) })
					p.changes("chmod to the same", n, func() { p.chmod(name, 0o600) })
					p.changes("chown", n, func() { p.chown(name, owner, ownerGroup) })
					p.changes("chown of nothing", n, func() { p.chown(name, -1, -1) })
					p.changes("setxattr", n, func() { p.setxattr(name, "trusted.x", "1", 0) })
					p.changes("removexattr", n, func() { p.removexattr(name, "trusted.x") })
					p.changes("chmod by another", n, func() { p.asOther(func() { p.chmod(name, 0o644) }) })
					p.changes("chown by another", n, func() { p.asOther(func() { p.chown(name, other, -1) }) })
				}
				p.changes("lchown of a link", []string{"l", "f"}, func() { p.lchown("l", 5, 6) })
				p.commit()
				p.changes("chmod after a commit", []string{"f"}, func() { p.chmod("f", 0o777) })
				p.changes("link", []string{"f", "."}, func() { p.link("f", "f2") })
				p.changes("unlink of one of two", []string{"f", "."}, func() { p.unlink("f2") })
				p.changes("link that fails", []string{"f", "."}, func() { p.link("f", "d") })
			},
		},
		{
			name: "times-of-directories", reason: "each change of names is mtime and ctime of the directory, a failure none",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o755); p.dir("e", 0o755); p.file("f", "x") }},
			act: func(p *place) {
				d := []string{"d", "e", "f"}
				p.changes("create", d, func() { p.file("d/f", "") })
				p.changes("create of what is there", d, func() { p.open("d/f", unix.O_CREAT|unix.O_EXCL, 0) })
				p.changes("mkdir", d, func() { p.mkdir("d/d", 0o755) })
				p.changes("mkdir of what is there", d, func() { p.mkdir("d/d", 0o755) })
				p.changes("symlink", d, func() { p.symlink("x", "d/l") })
				p.changes("mknod", d, func() { p.mknod("d/p", unix.S_IFIFO|0o600, 0) })
				p.changes("link", d, func() { p.link("f", "d/hard") })
				p.commit()
				p.changes("rename within", append(d, "d/g"), func() { p.rename("d/f", "d/g") })
				p.changes("rename to another", append(d, "e/g"), func() { p.rename("d/g", "e/g") })
				p.changes("rename of a directory", append(d, "e/d"), func() { p.rename("d/d", "e/d") })
				p.changes("rename onto", append(d, "e/g"), func() { p.rename("d/hard", "e/g") })
				p.changes("rename onto itself", append(d, "e/g"), func() { p.rename("e/g", "e/g") })
				p.changes("rename that fails", append(d, "e/g"), func() { p.rename("e/g", "e/d") })
				p.changes("unlink", d, func() { p.unlink("d/l") })
				p.changes("unlink of nothing", d, func() { p.unlink("d/l") })
				p.changes("rmdir", d, func() { p.rmdir("e/d") })
				p.changes("rmdir that fails", d, func() { p.rmdir("d") })
				p.changes("write into a file of it", d, func() { p.file("e/g", "more") })
				p.list("d")
				p.list("e")
			},
		},
		{
			name: "atime", reason: "a mount keeps atime until it is set: reading a disc is no change that could be burned",
			prepare: []func(*place){func(p *place) {
				p.file("f", "x")
				p.must(unix.Symlink("f", p.at("l")))
				p.dir("d", 0o755)
				old := unix.Timespec{Sec: 1e9}
				for _, name := range []string{"f", "l", "d"} {
					p.utimens(name, old, old)
				}
			}},
			act: func(p *place) {
				p.changes("read", []string{"f"}, func() { p.content("f") })
				p.changes("readlink", []string{"l"}, func() { p.readlink("l") })
				p.changes("readdir", []string{"d"}, func() { p.list("d") })
			},
		},
	}
}
