package posix

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

func (p *place) setxattr(name, attr, value string, flags int) error {
	return p.res(unix.Lsetxattr(p.at(name), attr, []byte(value), flags), "setxattr %s %s %d bytes %d", name, attr, len(value), flags)
}

func (p *place) removexattr(name, attr string) error {
	return p.res(unix.Lremovexattr(p.at(name), attr), "removexattr %s %s", name, attr)
}

func (p *place) getxattr(name, attr string) {
	b := make([]byte, 70000)
	n, err := unix.Lgetxattr(p.at(name), attr, b)
	p.res(err, "getxattr %s %s", name, attr)
	if err == nil {
		p.bytes("value", b[:n])
	}
}

func (p *place) listxattr(names ...string) {
	for _, name := range names {
		b := make([]byte, 70000)
		n, err := unix.Llistxattr(p.at(name), b)
		list := strings.Split(strings.TrimRight(string(b[:max(n, 0)]), "\x00"), "\x00")
		slices.Sort(list)
		p.note("listxattr %s = %s %s", name, result(err), short(strings.Join(list, " ")))
	}
}

func xattrScripts() []script {
	types := []string{"file", "empty", "dangling", "fifo", "dev", "socket"}
	all := func(p *place) {
		for _, k := range types {
			p.specimen(k, k)
		}
	}
	return []script{
		{
			name: "xattr-namespaces", reason: "user. on files and directories, trusted. and security. for root on all",
			prepare: []func(*place){all, func(p *place) {
				for _, k := range types {
					p.must(unix.Lsetxattr(p.at(k), "trusted.old", []byte("old value of "+k), 0))
				}
				p.must(unix.Lsetxattr(p.at("file"), "security.old", []byte("s"), 0))
				p.must(unix.Lsetxattr(p.at("file"), "user.old", []byte("u"), 0))
			}},
			act: func(p *place) {
				for _, k := range types {
					p.getxattr(k, "trusted.old")
					for _, attr := range []string{"user.new", "trusted.new", "security.new", "system.new", "nonsense.new", "new", "user.", "user", ""} {
						p.setxattr(k, attr, "value", 0)
						p.getxattr(k, attr)
					}
					p.listxattr(k)
					p.removexattr(k, "trusted.old")
					p.removexattr(k, "trusted.old")
				}
				p.commit()
				p.listxattr(types...)
				p.getxattr("file", "user.new")
				p.getxattr("file", "security.new")
			},
		},
		{
			name: "xattr-flags-and-sizes", reason: "XATTR_CREATE, XATTR_REPLACE, ERANGE, ENODATA, E2BIG, empty values",
			prepare: []func(*place){func(p *place) {
				p.file("f", "x")
				for i, n := range []int{0, 1, 250, 256, 2000, 2048, 4000} {
					p.must(unix.Setxattr(p.at("f"), fmt.Sprint("user.a", i), []byte(pattern(n, byte(i))), 0))
				}
			}},
			act: func(p *place) {
				for i := range 7 {
					p.getxattr("f", fmt.Sprint("user.a", i))
				}
				p.setxattr("f", "user.a1", "x", unix.XATTR_CREATE)
				p.setxattr("f", "user.new", "x", unix.XATTR_REPLACE)
				p.setxattr("f", "user.new", "y", unix.XATTR_CREATE)
				p.setxattr("f", "user.new", "z", unix.XATTR_REPLACE)
				p.setxattr("f", "user.new", "z", 4)
				p.getxattr("f", "user.missing")
				p.removexattr("f", "user.missing")
				small := make([]byte, 3)
				n, err := unix.Getxattr(p.at("f"), "user.a2", small)
				p.note("small buffer: %d %s", n, result(err))
				n, err = unix.Getxattr(p.at("f"), "user.a2", nil)
				p.note("asked for the size: %d %s", n, result(err))
				n, err = unix.Listxattr(p.at("f"), small)
				p.note("small list: %d %s", n, result(err))
				p.setxattr("f", "user."+strings.Repeat("n", 250), "longest", 0)
				p.getxattr("f", "user."+strings.Repeat("n", 250))
				p.setxattr("f", "user."+strings.Repeat("n", 251), "too long", 0)
				p.setxattr("f", "user.big", strings.Repeat("b", 65537), 0)
				p.setxattr("f", "user.binary", "\x00\x01\xff\n", 0)
				p.setxattr("f", "user.a0", "no longer empty", 0)
				p.setxattr("f", "user.a6", "", 0)
				p.commit()
				p.listxattr("f")
				for i := range 7 {
					p.getxattr("f", fmt.Sprint("user.a", i))
				}
				p.getxattr("f", "user.binary")
				for i := range 7 {
					p.removexattr("f", fmt.Sprint("user.a", i))
				}
				p.listxattr("f")
				p.listxattr("missing")
			},
		},
		{
			name: "xattr-permissions", reason: "who may read the file reads user., who may write it sets them; trusted. is root's",
			prepare: []func(*place){func(p *place) {
				p.owned("private", owner, ownerGroup, 0o600)
				p.owned("readable", owner, ownerGroup, 0o644)
				p.owned("writable", owner, ownerGroup, 0o666)
				p.dir("sticky", 0o1777)
				for _, name := range []string{"private", "readable", "writable", "sticky"} {
					p.must(unix.Setxattr(p.at(name), "user.u", []byte("u"), 0))
					p.must(unix.Setxattr(p.at(name), "trusted.t", []byte("t"), 0))
				}
			}},
			act: func(p *place) {
				p.everybody(func(who string) {
					for _, name := range []string{"private", "readable", "writable", "sticky"} {
						p.getxattr(name, "user.u")
						p.getxattr(name, "trusted.t")
						p.setxattr(name, "user."+who, "x", 0)
						p.setxattr(name, "trusted."+who, "x", 0)
						p.removexattr(name, "user."+who)
					}
				})
			},
		},
		{
			name: "xattrs-belong-to-the-inode", reason: "names that come and go, renames and links do not touch them",
			prepare: []func(*place){func(p *place) { p.file("f", "x"); p.must(unix.Setxattr(p.at("f"), "user.a", []byte("1"), 0)) },
				func(p *place) { p.must(unix.Link(p.at("f"), p.at("g"))) }},
			act: func(p *place) {
				p.setxattr("g", "user.b", "2", 0)
				p.listxattr("f")
				p.rename("f", "h")
				p.unlink("g")
				p.listxattr("h")
				fd := p.open("h", unix.O_RDWR, 0)
				p.res(unix.Fsetxattr(fd, "user.c", []byte("3"), 0), "fsetxattr")
				p.res(unix.Fremovexattr(fd, "user.a"), "fremovexattr")
				p.commit()
				p.truncate("h", 0)
				p.listxattr("h")
				p.file("f", "a new one")
				p.listxattr("f")
				p.rename("f", "h")
				p.listxattr("h")
			},
		},
	}
}
