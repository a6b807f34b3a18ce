package posix

import "golang.org/x/sys/unix"

func lockScripts() []script {
	return []script{
		{
			name: "locks", reason: "flock(2), fcntl(2) and OFD locks hold between processes, and go with their owner",
			prepare: []func(*place){func(p *place) { p.file("f", pattern(100, 1)) }},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				p.lockBy("f", "flock-ex", "posix-ex", "ofd-ex")
				p.res(unix.Flock(fd, unix.LOCK_SH), "flock shared")
				p.lockBy("f", "flock-sh", "flock-ex")
				p.res(unix.Flock(fd, unix.LOCK_EX), "flock exclusive")
				p.lockBy("f", "flock-sh", "flock-ex", "posix-ex")
				p.commit()
				p.lockBy("f", "flock-sh")
				p.res(unix.Flock(fd, unix.LOCK_UN), "unlock")
				p.lockBy("f", "flock-ex")
				fl := unix.Flock_t{Type: unix.F_WRLCK, Start: 10, Len: 10}
				p.res(unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &fl), "fcntl exclusive")
				p.lockBy("f", "posix-sh", "posix-ex", "beside-ex", "get", "ofd-sh")
				fl.Type = unix.F_RDLCK
				p.res(unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &fl), "fcntl shared")
				p.lockBy("f", "posix-sh", "posix-ex", "get", "ofd-sh", "ofd-ex")
				p.commit()
				p.lockBy("f", "posix-ex")
				// POSIX: closing any descriptor of the file lets go.
				p.close(p.open("f", unix.O_RDONLY, 0))
				p.lockBy("f", "posix-ex", "get")
				p.res(unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &fl), "ofd shared")
				p.lockBy("f", "ofd-sh", "ofd-ex", "posix-ex")
				p.close(fd)
				p.lockBy("f", "ofd-ex")
				ro := p.open("f", unix.O_RDONLY, 0)
				fl.Type = unix.F_WRLCK
				p.res(unix.FcntlFlock(uintptr(ro), unix.F_SETLK, &fl), "exclusive lock, read only")
				p.res(unix.Flock(ro, unix.LOCK_EX|unix.LOCK_NB), "flock exclusive, read only")
			},
		},
		{
			name: "locks-of-hard-links", reason: "a lock is on the file, not on the name",
			prepare: []func(*place){func(p *place) { p.file("f", "x") }, func(p *place) { p.must(unix.Link(p.at("f"), p.at("g"))) }},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDWR, 0)
				p.res(unix.Flock(fd, unix.LOCK_EX), "flock")
				p.lockBy("g", "flock-ex")
				p.rename("g", "h")
				p.lockBy("h", "flock-ex")
				p.unlink("f")
				p.lockBy("h", "flock-sh")
			},
		},
		{
			name: "leases", reason: "a lease is given while nobody else has the file open",
			prepare: []func(*place){func(p *place) { p.file("f", "x") }},
			act: func(p *place) {
				fd := p.open("f", unix.O_RDONLY, 0)
				n, err := unix.FcntlInt(uintptr(fd), unix.F_GETLEASE, 0)
				p.note("lease %d %s", n, result(err))
				_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
				p.res(err, "read lease")
			},
		},
	}
}
