package posix

import (
	"strings"

	"golang.org/x/sys/unix"
)

// calls are all system calls that take a path, with arguments that would do.
func (p *place) calls(name string) {
	p.note("with %s:", short(name))
	p.stat(name)
	p.follow(name)
	p.open(name, unix.O_RDONLY, 0)
	p.open(name, unix.O_WRONLY|unix.O_CREAT, 0o644)
	p.open(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	p.mkdir(name, 0o755)
	p.rmdir(name)
	p.unlink(name)
	p.mknod(name, unix.S_IFIFO|0o644, 0)
	p.symlink("x", name)
	p.readlink(name)
	p.link("there", name)
	p.link(name, "new")
	p.rename(name, "new")
	p.rename("there", name)
	p.chmod(name, 0o644)
	p.lchown(name, 1, 1)
	p.truncate(name, 0)
	p.utimens(name, unix.Timespec{Sec: 1}, unix.Timespec{Sec: 1})
	p.access(name, unix.F_OK)
	p.setxattr(name, "user.x", "x", 0)
	p.getxattr(name, "user.x")
	var st unix.Statfs_t
	p.res(unix.Statfs(p.at(name), &st), "statfs %s", name)
	p.closeAll()
}

func nameScripts() []script {
	there := func(p *place) { p.file("there", "x"); p.dir("d", 0o755); p.file("d/f", "y") }
	return []script{
		{
			name: "ENAMETOOLONG", reason: "a name has 255 bytes at most, a path 4095",
			prepare: []func(*place){there, func(p *place) { p.file(strings.Repeat("n", 255), "the longest") }},
			act: func(p *place) {
				longest := strings.Repeat("n", 255)
				p.content(longest)
				p.rename(longest, strings.Repeat("m", 255))
				p.stat(strings.Repeat("m", 255), longest)
				p.mkdir(strings.Repeat("é", 127), 0o755)
				p.calls(strings.Repeat("n", 256))
				p.calls("d/" + strings.Repeat("n", 256))
				p.calls(strings.Repeat("n", 256) + "/f")
				p.calls(strings.Repeat("é", 128))
				p.calls(strings.Repeat("d/../", 1000) + "there")
				p.note("path of 4096 bytes:")
				p.res(unix.Mkdir("/"+strings.Repeat("a/", 2047)+"b", 0o755), "mkdir")
				p.commit()
				p.stat(strings.Repeat("m", 255))
				p.list(".")
			},
		},
		{
			name: "long-paths", reason: "a tree is deeper than a path is long",
			prepare: []func(*place){func(p *place) {
				fd, err := unix.Open(p.root, unix.O_DIRECTORY, 0)
				p.must(err)
				for range 20 {
					name := strings.Repeat("deep", 60)
					p.must(unix.Mkdirat(fd, name, 0o755))
					next, err := unix.Openat(fd, name, unix.O_DIRECTORY, 0)
					p.must(err)
					p.must(unix.Close(fd))
					fd = next
				}
				f, err := unix.Openat(fd, "bottom", unix.O_CREAT|unix.O_WRONLY, 0o644)
				p.must(err)
				p.must(unix.Close(f))
				p.must(unix.Close(fd))
			}},
			act: func(p *place) {
				name := strings.Repeat("deep", 60)
				p.stat(strings.Repeat(name+"/", 15) + name)
				p.stat(strings.Repeat(name+"/", 19) + name)
				fd, err := unix.Open(p.root, unix.O_DIRECTORY, 0)
				p.must(err)
				depth := 0
				for {
					next, err := unix.Openat(fd, name, unix.O_DIRECTORY, 0)
					if err != nil {
						p.note("depth %d: %s", depth, result(err))
						break
					}
					depth++
					p.must(unix.Close(fd))
					fd = next
				}
				p.res(unix.Unlinkat(fd, "bottom", 0), "unlinkat at the bottom")
				p.res(unix.Unlinkat(fd, "bottom", 0), "unlinkat again")
				// Programs that read all of the disc after this want shorter paths.
				p.rename(strings.Repeat(name+"/", 9)+name, "half")
				p.stat(name, "half")
				p.must(unix.Close(fd))
			},
		},
		{
			name: "ENOTDIR", reason: "what is not a directory has nothing below it, not even a slash",
			prepare: []func(*place){there, func(p *place) {
				p.must(unix.Mkfifo(p.at("fifo"), 0o644))
				p.must(unix.Symlink("there", p.at("link")))
			}},
			act: func(p *place) {
				for _, name := range []string{"there/x", "there/", "there/.", "fifo/x", "link/x", "link/", "d/f/g/h"} {
					p.calls(name)
				}
				p.rmdir("there")
				p.rmdir("fifo")
				p.rmdir("link")
				p.list("there")
				p.rename("d", "there")
				p.rename("d", "link")
			},
		},
		{
			name: "ENOENT", reason: "what is not there cannot be used",
			prepare: []func(*place){there, func(p *place) { p.must(unix.Symlink("nowhere", p.at("dangling"))); p.file("removed", "") }},
			act: func(p *place) {
				p.unlink("removed")
				for _, name := range []string{"missing/x", "d/missing/x", "dangling/x", "removed/x", "d/../missing/../there"} {
					p.calls(name)
				}
				for _, name := range []string{"missing", "removed", ""} {
					p.stat(name)
					p.unlink(name)
					p.rmdir(name)
					p.chmod(name, 0o755)
					p.rename(name, "new")
					p.link(name, "new")
				}
				p.res(unix.Mkdir("", 0o755), "mkdir of the empty path")
				p.res(unix.Symlink("", p.at("new")), "symlink of the empty target")
				p.list(".")
			},
		},
		{
			name: "ELOOP", reason: "symbolic links that lead in a circle, and more than 40 of them",
			prepare: []func(*place){there, func(p *place) {
				p.must(unix.Symlink("b", p.at("a")))
				p.must(unix.Symlink("a", p.at("b")))
				p.must(unix.Symlink("self", p.at("self")))
				p.must(unix.Symlink("there", p.at("l00")))
				for i := 1; i <= 45; i++ {
					p.must(unix.Symlink("l"+two(i-1), p.at("l"+two(i))))
				}
			}},
			act: func(p *place) {
				for _, name := range []string{"a/x", "self/x", "self/"} {
					p.calls(name)
				}
				for _, name := range []string{"a", "self", "l38", "l39", "l40", "l41", "l45"} {
					p.follow(name)
					p.open(name, unix.O_RDONLY, 0)
					p.open(name, unix.O_WRONLY|unix.O_CREAT, 0o644)
					p.chmod(name, 0o600)
					p.truncate(name, 1)
				}
				p.stat("a", "self", "l45")
				p.commit()
				p.readlink("l45")
				p.follow("l05")
			},
		},
		{
			name: "EEXIST", reason: "what is there is not made again",
			prepare: []func(*place){there, func(p *place) {
				p.must(unix.Symlink("nowhere", p.at("dangling")))
				p.must(unix.Mkfifo(p.at("fifo"), 0o644))
			}},
			act: func(p *place) {
				for _, name := range []string{"there", "d", "dangling", "fifo", ".", "..", "d/.", "d/..", "d/", "/"} {
					p.note("with %s:", name)
					p.mkdir(name, 0o755)
					p.mknod(name, unix.S_IFIFO|0o644, 0)
					p.symlink("x", name)
					p.link("there", name)
					p.open(name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o644)
				}
				p.stat("there", "d", "dangling", "fifo")
			},
		},
		{
			name: "ENOTEMPTY", reason: "a directory is removed when it is empty, and not by another name of it",
			prepare: []func(*place){func(p *place) {
				p.dir("a", 0o755)
				p.dir("a/b", 0o755)
				p.dir("full", 0o755)
				p.file("full/f", "x")
			}, func(p *place) { p.dir("full/d", 0o755); p.dir("was-full", 0o755); p.file("was-full/f", "x") }},
			act: func(p *place) {
				p.rmdir("a")
				p.rmdir("full")
				p.rmdir("a/b/.")
				p.rmdir("a/b/..")
				p.rmdir("a/b/../../full")
				p.unlink("a")
				p.unlink("a/b/")
				p.res(unix.Rmdir(p.root+"/."), "rmdir of the root of the script by '.'")
				p.unlink("was-full/f")
				p.commit()
				p.rmdir("was-full")
				p.rmdir("a/b/")
				p.stat("a")
				p.rmdir("a")
				p.unlink("full/f")
				p.rmdir("full")
				p.rmdir("full/d")
				p.rmdir("full")
				p.list(".")
			},
		},
		{
			name: "EISDIR-EINVAL", reason: "what directories, fifos, links do not let themselves be done",
			prepare: []func(*place){there, func(p *place) {
				p.must(unix.Mkfifo(p.at("fifo"), 0o644))
				p.must(unix.Mknod(p.at("dev"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))))
				p.must(unix.Mknod(p.at("socket"), unix.S_IFSOCK|0o644, 0))
			}},
			act: func(p *place) {
				for _, name := range []string{"d", "fifo", "socket"} {
					p.truncate(name, 0)
					p.readlink(name)
				}
				p.open("d", unix.O_WRONLY, 0)
				p.open("d", unix.O_RDWR, 0)
				p.open("d", unix.O_RDONLY|unix.O_TRUNC, 0)
				p.open("d", unix.O_RDONLY|unix.O_CREAT, 0)
				p.open("socket", unix.O_RDONLY, 0)
				p.open("fifo", unix.O_WRONLY|unix.O_NONBLOCK, 0)
				fd := p.open("d", unix.O_RDONLY, 0)
				p.pread(fd, 10, 0)
				p.pwrite(fd, "x", 0)
				p.ftruncate(fd, 0)
				p.res(unix.Fallocate(fd, 0, 0, 10), "fallocate of a directory")
				p.close(fd)
				p.link("d", "d2")
				p.unlink("d")
				p.readlink("there")
				p.truncate("there", -1)
				fd = p.open("there", unix.O_RDONLY, 0)
				p.ftruncate(fd, 0)
				p.pwrite(fd, "x", 0)
				p.res(unix.Fallocate(fd, 0, 0, 10), "fallocate, read only")
				p.pread(fd, 1, -1)
				p.seek(fd, -1, unix.SEEK_SET)
				p.seek(fd, 0, 99)
				p.close(fd)
				fd = p.open("there", unix.O_WRONLY, 0)
				p.pread(fd, 1, 0)
				p.ftruncate(fd, -1)
				p.res(unix.Fallocate(fd, 0, -1, 10), "fallocate before the beginning")
				p.res(unix.Fallocate(fd, 0, 0, 0), "fallocate of nothing")
				p.close(fd)
				p.res(unix.Fdatasync(p.open("there", unix.O_RDONLY, 0)), "fdatasync")
				p.res(unix.Fsync(p.open("d", unix.O_RDONLY, 0)), "fsync of a directory")
				p.unlink("there/..")
				p.rename(".", "new")
				p.rename("d/.", "new")
				p.rename("d/..", "new")
				p.rename("d", ".")
				p.rename("d", "d/..")
				p.mkdir("d/./e", 0o755)
				p.list("d")
			},
		},
		{
			name: "EXDEV", reason: "names do not lead to another file system",
			prepare: []func(*place){there},
			act: func(p *place) {
				p.rename("there", "/proc/nothing")
				p.link("there", "/proc/nothing")
				p.rename("/proc/version", "there")
				p.link("/proc/version", "new")
				p.list(".")
			},
		},
		{
			name: "ETXTBSY", reason: "a program that runs is not written, one that is written does not run",
			prepare: []func(*place){func(p *place) { p.must(copyProgram("/bin/sleep", p.at("program"))) }},
			act: func(p *place) {
				stop, err := startProgram(p.at("program"), "1000")
				p.res(err, "exec")
				p.open("program", unix.O_WRONLY, 0)
				p.open("program", unix.O_RDWR|unix.O_TRUNC, 0)
				p.truncate("program", 0)
				p.close(p.open("program", unix.O_RDONLY, 0))
				p.rename("program", "moved")
				p.commit()
				p.open("moved", unix.O_WRONLY, 0)
				stop()
				fd := p.open("moved", unix.O_WRONLY, 0)
				_, err = startProgram(p.at("moved"), "1000")
				p.res(err, "exec of what is being written")
				p.close(fd)
				stop, err = startProgram(p.at("moved"), "1000")
				p.res(err, "exec")
				p.unlink("moved")
				stop()
				p.file("script", "#!/bin/true\n")
				_, err = startProgram(p.at("script"))
				p.res(err, "exec of what is not executable")
			},
		},
		{
			name: "odd-names", reason: "a name is any bytes but slash and NUL",
			prepare: []func(*place){func(p *place) {
				for _, name := range oddNames() {
					p.file(name, "content of "+name)
				}
			}},
			act: func(p *place) {
				p.list(".")
				for _, name := range oddNames() {
					p.stat(name)
					p.content(name)
				}
				for i, name := range oddNames() {
					if i%2 == 0 {
						p.rename(name, name+"~")
					}
				}
				p.commit()
				p.list(".")
				p.mkdir("UPPER", 0o755)
				p.mkdir("upper", 0o755)
				p.stat("UPPER", "upper", "Upper")
			},
		},
	}
}

func two(i int) string { return string([]byte{byte('0' + i/10), byte('0' + i%10)}) }

func oddNames() []string {
	return []string{
		"...", "..x", ".hidden", " ", " x ", "-", "*", "?", "\\", "a:b", "a;1", "A.;1", "\xff\xfe", "\x01\x7f", "new\nline", "é", "e\u0301",
		"日本", "Ab", "aB", "AB", "ab", "name.", "name", "~", "#", "rr_moved", "RR_MOVED", "lost+found", strings.Repeat("=", 255),
	}
}
