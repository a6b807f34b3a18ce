package posix

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

func specialScripts() []script {
	devs := []uint64{unix.Mkdev(1, 3), unix.Mkdev(8, 17), unix.Mkdev(255, 255), unix.Mkdev(259, 70000), unix.Mkdev(4095, 1<<20-1), unix.Mkdev(0, 0)}
	return []script{
		{
			name: "devices", reason: "device numbers of 12 and 20 bits, times and modes of what has no content",
			prepare: []func(*place){func(p *place) {
				for i, d := range devs {
					p.must(unix.Mknod(p.at("c"+two(i)), unix.S_IFCHR|0o620, int(d)))
				}
			}},
			act: func(p *place) {
				for i, d := range devs {
					p.stat("c" + two(i))
					p.mknod("b"+two(i), unix.S_IFBLK|0o2640, d)
					p.stat("b" + two(i))
				}
				p.chmod("c00", 0o600)
				p.rename("b01", "moved")
				p.commit()
				p.stat("c00", "moved", "b03", "b04", "c04")
			},
		},
		{
			name: "mknod-types", reason: "regular files can be made, directories and nonsense not",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o755) }},
			act: func(p *place) {
				for _, mode := range []uint32{unix.S_IFREG, 0, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFMT, unix.S_IFIFO, unix.S_IFSOCK} {
					p.mknod("d/n", mode|0o644, 0)
					p.stat("d/n")
					p.unlink("d/n")
				}
			},
		},
		{
			name: "fifos", reason: "two processes talk through a fifo of the mount, whatever session it is from",
			prepare: []func(*place){func(p *place) { p.must(unix.Mkfifo(p.at("p"), 0o600)) }},
			act: func(p *place) {
				p.open("p", unix.O_WRONLY|unix.O_NONBLOCK, 0)
				r := p.open("p", unix.O_RDONLY|unix.O_NONBLOCK, 0)
				w := p.open("p", unix.O_WRONLY|unix.O_NONBLOCK, 0)
				p.write(w, "through a fifo")
				b := make([]byte, 100)
				n, err := unix.Read(r, b)
				p.note("read %q %s", b[:max(n, 0)], result(err))
				p.commit()
				p.write(w, "after a commit")
				n, err = unix.Read(r, b)
				p.note("read %q %s", b[:max(n, 0)], result(err))
				p.stat("p")
				p.close(r)
				p.unlink("p")
				p.stat("p")
			},
		},
		{
			name: "sockets", reason: "bind makes a socket, connect finds it, a name of an earlier session has no listener",
			prepare: []func(*place){func(p *place) {
				fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
				p.must(err)
				p.must(bindShort(fd, p.at("old")))
				p.must(unix.Close(fd))
			}},
			act: func(p *place) {
				p.stat("old")
				socket := func() int {
					fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
					p.must(err)
					p.fds[fd] = true
					return fd
				}
				p.res(connectShort(socket(), p.at("old")), "connect to the old one")
				l := socket()
				p.res(bindShort(l, p.at("old")), "bind to the old one")
				p.res(bindShort(l, p.at("new")), "bind")
				p.res(unix.Listen(l, 1), "listen")
				p.stat("new")
				p.commit()
				c := socket()
				p.res(connectShort(c, p.at("new")), "connect")
				s, _, err := unix.Accept(l)
				p.res(err, "accept")
				p.write(c, "hello")
				b := make([]byte, 10)
				n, err := unix.Read(s, b)
				p.note("read %q %s", b[:max(n, 0)], result(err))
				p.must(unix.Close(s))
				p.rename("new", "renamed")
				p.res(connectShort(socket(), p.at("renamed")), "connect to the new name")
				p.chmod("renamed", 0)
				p.asOther(func() { p.res(connectShort(socket(), p.at("renamed")), "connect without permission") })
				p.unlink("renamed")
				p.res(connectShort(socket(), p.at("renamed")), "connect to nothing")
			},
		},
		{
			name: "statfs", reason: "numbers that can be true, and the limits of names",
			prepare: []func(*place){func(p *place) { p.file("f", "x") }},
			act: func(p *place) {
				for _, name := range []string{".", "f"} {
					var st unix.Statfs_t
					p.res(unix.Statfs(p.at(name), &st), "statfs %s", name)
					p.note("names of %d bytes; free ≤ total %t; available ≤ free %t; block > 0 %t; files free ≤ files %t",
						st.Namelen, st.Bfree <= st.Blocks, st.Bavail <= st.Bfree, st.Bsize > 0, st.Ffree <= st.Files)
				}
			},
		},
		{
			name: "poll", reason: "regular files are always ready",
			prepare: []func(*place){func(p *place) { p.file("f", "x") }},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLOUT}}
				n, err := unix.Poll(fds, int(time.Second.Milliseconds()))
				p.note("poll %d %x %s", n, fds[0].Revents, result(err))
			},
		},
		{
			name: "directory-as-cwd", reason: "a working directory can be renamed and removed",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o755); p.dir("d/e", 0o755); p.file("d/e/f", "x") }},
			act: func(p *place) {
				p.as(0, 0, nil, func() { // a thread with a working directory of its own
					p.res(unix.Chdir(p.at("d/e")), "chdir")
					p.rename("d", "moved")
					b := make([]byte, 4096)
					n, err := unix.Getcwd(b)
					p.note("getcwd %s %s", b[:max(n-1, 0)], result(err))
					p.res(unix.Access("f", unix.R_OK), "access f")
					p.commit()
					p.res(unix.Access("f", unix.R_OK), "access f")
					p.unlink("moved/e/f")
					p.rmdir("moved/e")
					_, err = unix.Getcwd(b)
					p.res(err, "getcwd of what is removed")
					p.res(unix.Mkdir("x", 0o755), "mkdir x")
					p.res(unix.Access("..", unix.R_OK), "access ..")
					p.res(unix.Chdir(".."), "chdir ..")
					p.res(unix.Chdir(p.at("missing")), "chdir to nothing")
				})
			},
		},
	}
}

// bindShort binds a socket by way of /proc, as sockaddr_un holds 107 bytes.
func bindShort(fd int, path string) error {
	return byDirectory(path, func(short string) error { return unix.Bind(fd, &unix.SockaddrUnix{Name: short}) })
}

func connectShort(fd int, path string) error {
	return byDirectory(path, func(short string) error { return unix.Connect(fd, &unix.SockaddrUnix{Name: short}) })
}

func byDirectory(path string, do func(short string) error) error {
	i := len(path) - 1
	for path[i] != '/' {
		i--
	}
	d, err := unix.Open(path[:i], unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(d)
	return do("/proc/self/fd/" + strconv.Itoa(d) + path[i:])
}
