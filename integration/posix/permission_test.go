package posix

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Users of the scripts. Friend is in the group of owner.
const (
	owner, ownerGroup   = 1000, 1000
	friend, friendGroup = 1001, 1001
	other, otherGroup   = 1002, 1002
	shared              = 2000 // a group of owner and friend
)

func (p *place) asOwner(do func())  { p.as(owner, ownerGroup, []int{shared}, do) }
func (p *place) asFriend(do func()) { p.as(friend, friendGroup, []int{ownerGroup, shared}, do) }
func (p *place) asOther(do func())  { p.as(other, otherGroup, nil, do) }

// everybody runs a part as each user, root included.
func (p *place) everybody(do func(who string)) {
	p.note("as root:")
	do("root")
	p.note("as owner:")
	p.asOwner(func() { do("owner") })
	p.note("as friend:")
	p.asFriend(func() { do("friend") })
	p.note("as other:")
	p.asOther(func() { do("other") })
}

// noGroupExecution is why a mount differs for files with mode 02767.
const noGroupExecution = "FUSE in the kernel takes the set-group-ID bit only together with group execution, and decides it alone"

func permissionScripts() []script {
	modes := []uint32{0o000, 0o400, 0o200, 0o100, 0o040, 0o020, 0o010, 0o004, 0o002, 0o001, 0o644, 0o755, 0o077}
	return []script{
		{
			name: "access-of-files", reason: "each class has its own bits, and root all but execution of what nobody may",
			prepare: []func(*place){func(p *place) {
				for _, mode := range modes {
					p.owned(fmt.Sprintf("f%03o", mode), owner, ownerGroup, mode)
				}
			}},
			act: func(p *place) {
				p.everybody(func(string) {
					for _, mode := range modes {
						name := fmt.Sprintf("f%03o", mode)
						for _, want := range []uint32{unix.R_OK, unix.W_OK, unix.X_OK} {
							p.access(name, want)
						}
						for _, flags := range []int{unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR} {
							if fd := p.open(name, flags, 0); fd >= 0 {
								p.close(fd)
							}
						}
						p.res(unix.Truncate(p.at(name), 3), "truncate")
					}
				})
			},
		},
		{
			name: "access-of-directories", reason: "r lists, x passes, w and x together change",
			prepare: []func(*place){func(p *place) {
				for _, mode := range modes {
					dir := fmt.Sprintf("d%03o", mode)
					p.dir(dir, 0o700)
					p.owned(dir+"/f", other, otherGroup, 0o666)
					p.own(dir, owner, ownerGroup, mode)
				}
			}},
			act: func(p *place) {
				p.everybody(func(who string) {
					for _, mode := range modes {
						dir := fmt.Sprintf("d%03o", mode)
						p.list(dir)
						p.access(dir+"/f", unix.R_OK)
						p.stat(dir + "/f")
						name := dir + "/by-" + who
						if fd := p.open(name, unix.O_CREAT|unix.O_WRONLY, 0o644); fd >= 0 {
							p.close(fd)
						}
						p.mkdir(name+"-d", 0o755)
						p.rename(name, name+"-2")
						p.link(dir+"/f", name+"-l")
						p.unlink(name + "-2")
						p.rmdir(name + "-d")
					}
				})
			},
		},
		{
			name: "search-in-prefix", reason: "EACCES for a prefix that may not be searched, before ENOENT",
			prepare: []func(*place){func(p *place) {
				p.dir("a", 0o755)
				p.dir("a/b", 0o755)
				p.owned("a/b/f", owner, ownerGroup, 0o666)
				p.own("a", owner, ownerGroup, 0o600)
			}},
			act: func(p *place) {
				p.asOther(func() {
					p.stat("a/b/f", "a/b/missing", "a/missing", "a")
					p.open("a/b/f", unix.O_RDONLY, 0)
					p.chmod("a/b/f", 0o600)
					p.unlink("a/b/f")
					p.rmdir("a/b")
					p.rename("a/b", "b")
					p.truncate("a/b/f", 0)
					p.readlink("a/b/l")
				})
				p.asOwner(func() { p.stat("a/b"); p.list("a"); p.chmod("a", 0o700); p.stat("a/b/f") })
			},
		},
		{
			name: "sticky", reason: "in a sticky directory only the owners of file or directory and root rename and unlink",
			prepare: []func(*place){func(p *place) {
				p.dir("tmp", 0o777)
				p.dir("open", 0o777)
				p.own("tmp", owner, ownerGroup, 0o1777)
			}, func(p *place) {
				for _, who := range []int{0, owner, friend, other} {
					p.owned(fmt.Sprintf("tmp/f%d", who), who, who, 0o666)
					p.dir(fmt.Sprintf("tmp/d%d", who), 0o777)
					p.own(fmt.Sprintf("tmp/d%d", who), who, who, 0o777)
				}
			}},
			act: func(p *place) {
				p.stat("tmp")
				p.asFriend(func() {
					for _, who := range []int{0, owner, other, friend} {
						p.rename(fmt.Sprintf("tmp/f%d", who), "open/moved")
						p.rename(fmt.Sprintf("tmp/f%d", who), "tmp/renamed")
						p.rename(fmt.Sprintf("tmp/d%d", who), "tmp/renamed-d")
						p.unlink(fmt.Sprintf("tmp/f%d", who))
						p.rmdir(fmt.Sprintf("tmp/d%d", who))
						p.file("open/mine", "x")
						p.rename("open/mine", fmt.Sprintf("tmp/f%d", who))
					}
				})
				p.commit()
				p.stat("tmp")
				p.list("tmp")
				p.asOwner(func() {
					p.unlink("tmp/f0")
					p.unlink("tmp/f1002")
					p.rename("tmp/d0", "tmp/taken")
					p.rmdir("tmp/d1002")
				})
				p.asOther(func() { p.unlink("tmp/f1000"); p.link("tmp/f1000", "tmp/hard"); p.unlink("tmp/hard") })
				p.list("tmp")
			},
		},
		{
			name: "setgid-directory", reason: "a set-group-ID directory hands its group down, and the bit to directories",
			prepare: []func(*place){func(p *place) {
				p.dir("sg", 0o777)
				p.own("sg", owner, shared, 0o2777)
				p.dir("plain", 0o777)
				p.own("plain", owner, shared, 0o777)
			}},
			act: func(p *place) {
				p.asOther(func() {
					for _, dir := range []string{"sg", "plain"} {
						p.file(dir+"/f", "")
						p.mkdir(dir+"/d", 0o755)
						p.mkdir(dir+"/d/deeper", 0o755)
						p.symlink("x", dir+"/l")
						p.mknod(dir+"/p", unix.S_IFIFO|0o644, 0)
						if fd := p.open(dir+"/exec", unix.O_CREAT|unix.O_WRONLY, 0o2775); fd >= 0 {
							p.close(fd)
						}
						p.stat(dir+"/f", dir+"/d", dir+"/d/deeper", dir+"/l", dir+"/p", dir+"/exec")
					}
				})
				p.file("sg/root", "")
				p.stat("sg/root", "sg")
				p.commit()
				p.mkdir("sg/d/again", 0o755)
				p.stat("sg/d/again")
			},
		},
		{
			name: "chmod-rules", reason: "only the owner and root chmod; a group one is not in loses its set-group-ID bit; sticky files",
			prepare: []func(*place){func(p *place) {
				p.owned("f", owner, ownerGroup, 0o644)
				p.owned("foreign-group", owner, 4000, 0o755)
				p.owned("shared-group", owner, shared, 0o755)
				p.dir("d", 0o755)
				p.own("d", owner, 4000, 0o755)
				p.must(unix.Symlink("f", p.at("l")))
			}},
			act: func(p *place) {
				p.everybody(func(string) {
					for _, mode := range []uint32{0o4755, 0o2755, 0o1755, 0o7777, 0o600, 0} {
						for _, name := range []string{"f", "foreign-group", "shared-group", "d"} {
							p.chmod(name, mode)
							p.stat(name)
						}
					}
				})
				p.chmod("l", 0o640)
				p.stat("l", "f")
				p.commit()
				p.stat("l", "f")
				p.chmod("f", 0o100000|0o644)
				p.stat("f")
				p.res(unix.Fchmodat(unix.AT_FDCWD, p.at("f"), 0o4711, 0), "fchmodat")
				p.stat("f")
			},
		},
		{
			name: "chown-rules", reason: "only root gives files away; owners change the group to one of theirs; set-ID bits go",
			prepare: []func(*place){func(p *place) {
				for _, mode := range []uint32{0o6755, 0o6711, 0o2745, 0o4644, 0o7777} {
					p.owned(fmt.Sprintf("f%o", mode), owner, ownerGroup, mode)
				}
				p.dir("d", 0o755)
				p.own("d", owner, ownerGroup, 0o6755)
				p.must(unix.Symlink("f6755", p.at("l")))
				p.must(unix.Lchown(p.at("l"), owner, ownerGroup))
			}},
			act: func(p *place) {
				for _, name := range []string{"f6755", "f6711", "f2745", "f4644", "f7777", "d"} {
					p.asOther(func() { p.chown(name, other, -1); p.chown(name, -1, otherGroup); p.chown(name, -1, -1) })
					p.asFriend(func() { p.chown(name, -1, shared) })
					p.asOwner(func() {
						p.chown(name, other, -1)
						p.chown(name, -1, otherGroup)
						p.chown(name, owner, -1)
						p.stat(name)
						p.chown(name, -1, shared)
					})
					p.stat(name)
				}
				p.commit()
				for _, name := range []string{"f6711", "d"} {
					p.chmod(name, 0o6755)
					p.chown(name, 0, 0)
					p.stat(name)
					p.chmod(name, 0o6755)
					p.chown(name, -1, -1)
					p.stat(name)
					p.chown(name, 1<<31+5, 1<<31+6)
					p.stat(name)
				}
				p.lchown("l", friend, friendGroup)
				p.stat("l", "f6755")
				p.chown("l", friend, friendGroup)
				p.stat("l", "f6755")
			},
			differs: []difference{{"chown f2745 -1:-1 = EPERM", "chown f2745 -1:-1 = ok", noGroupExecution}},
		},
		{
			name: "suid-cleared-by-data", reason: "a write, truncate or fallocate by others than root takes the set-ID bits",
			prepare: []func(*place){func(p *place) {
				for _, how := range []string{"write", "truncate", "ftruncate", "trunc-open", "append", "nothing", "root"} {
					for _, mode := range []uint32{0o6777, 0o2767, 0o4666, 0o7777} {
						p.owned(fmt.Sprintf("%s-%o", how, mode), owner, ownerGroup, mode)
					}
				}
			}},
			act: func(p *place) {
				for _, mode := range []uint32{0o6777, 0o2767, 0o4666, 0o7777} {
					m := fmt.Sprintf("-%o", mode)
					p.asOther(func() {
						if fd := p.open("write"+m, unix.O_WRONLY, 0); fd >= 0 {
							p.write(fd, "x")
							p.fstat(fd, "write"+m)
							p.close(fd)
						}
						p.truncate("truncate"+m, 2)
						if fd := p.open("ftruncate"+m, unix.O_RDWR, 0); fd >= 0 {
							p.ftruncate(fd, 1)
							p.close(fd)
						}
						if fd := p.open("trunc-open"+m, unix.O_WRONLY|unix.O_TRUNC, 0); fd >= 0 {
							p.close(fd)
						}
						if fd := p.open("append"+m, unix.O_WRONLY|unix.O_APPEND, 0); fd >= 0 {
							p.write(fd, "more")
							p.close(fd)
						}
						if fd := p.open("nothing"+m, unix.O_WRONLY, 0); fd >= 0 {
							p.write(fd, "")
							p.close(fd)
						}
					})
					if fd := p.open("root"+m, unix.O_WRONLY, 0); fd >= 0 {
						p.write(fd, "x")
						p.close(fd)
					}
					p.truncate("root"+m, 1)
					for _, how := range []string{"write", "truncate", "ftruncate", "trunc-open", "append", "nothing", "root"} {
						p.stat(how + m)
					}
				}
			},
			differs: []difference{
				{"fstat write-2767 = 100767 1000:1000 nlink 1 inode of write-2767 size 21", "fstat write-2767 = 102767 1000:1000 nlink 1 inode of write-2767 size 21", noGroupExecution},
				{"lstat write-2767 = 100767 1000:1000 nlink 1 inode of write-2767 size 21", "lstat write-2767 = 102767 1000:1000 nlink 1 inode of write-2767 size 21", noGroupExecution},
				{"lstat truncate-2767 = 100767 1000:1000 nlink 1 inode of truncate-2767 size 2", "lstat truncate-2767 = 102767 1000:1000 nlink 1 inode of truncate-2767 size 2", noGroupExecution},
				{"lstat ftruncate-2767 = 100767 1000:1000 nlink 1 inode of ftruncate-2767 size 1", "lstat ftruncate-2767 = 102767 1000:1000 nlink 1 inode of ftruncate-2767 size 1", noGroupExecution},
				{"lstat trunc-open-2767 = 100767 1000:1000 nlink 1 inode of trunc-open-2767 size 0", "lstat trunc-open-2767 = 102767 1000:1000 nlink 1 inode of trunc-open-2767 size 0", noGroupExecution},
				{"lstat append-2767 = 100767 1000:1000 nlink 1 inode of append-2767 size 26", "lstat append-2767 = 102767 1000:1000 nlink 1 inode of append-2767 size 26", noGroupExecution},
			},
		},
		{
			name: "umask-and-owner-of-new", reason: "what is made belongs to its maker, less the umask",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o777) }},
			act: func(p *place) {
				for _, mask := range []int{0o022, 0o077, 0o777, 0} {
					name := func(what string) string { return fmt.Sprintf("d/%s-%03o", what, mask) }
					p.as(owner, ownerGroup, nil, func() {
						unix.Umask(mask)
						if fd := p.open(name("f"), unix.O_CREAT|unix.O_RDWR, 0o6777); fd >= 0 {
							p.write(fd, "what a file without permissions takes")
							p.close(fd)
						}
						p.mkdir(name("d"), 0o1777)
						p.mknod(name("p"), unix.S_IFIFO|0o666, 0)
						p.mknod(name("n"), unix.S_IFREG|0o666, 0)
						p.symlink("x", name("l"))
					})
					p.stat(name("f"), name("d"), name("p"), name("n"), name("l"))
				}
				p.commit()
				p.stat("d/f-777", "d/d-000")
			},
		},
		{
			name: "who-may-set-times", reason: "now: whoever may write; any other time: the owner and root",
			prepare: []func(*place){func(p *place) {
				p.owned("writable", owner, ownerGroup, 0o666)
				p.owned("readable", owner, ownerGroup, 0o644)
			}},
			act: func(p *place) {
				now, omit, then := unix.Timespec{Nsec: unix.UTIME_NOW}, unix.Timespec{Nsec: unix.UTIME_OMIT}, unix.Timespec{Sec: 1e9, Nsec: 7}
				p.everybody(func(string) {
					for _, name := range []string{"writable", "readable"} {
						p.utimens(name, now, now)
						p.utimens(name, then, then)
						p.utimens(name, now, omit)
						p.utimens(name, then, now)
						p.utimens(name, omit, omit)
						p.res(unix.Utimes(p.at(name), nil), "utimes %s", name)
					}
				})
			},
		},
		{
			name: "hard-links-of-others", reason: "who may not write a file gets what the kernel's protection says",
			prepare: []func(*place){func(p *place) {
				p.dir("d", 0o777)
				p.owned("d/f", owner, ownerGroup, 0o644)
				p.owned("d/w", owner, ownerGroup, 0o666)
			}},
			act: func(p *place) {
				p.asOther(func() { p.link("d/f", "d/f2"); p.link("d/w", "d/w2") })
				p.asOwner(func() { p.link("d/f", "d/f3") })
				p.stat("d/f", "d/w")
			},
		},
		{
			name: "mknod-of-users", reason: "users make fifos and sockets, only root makes devices",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o777) }},
			act: func(p *place) {
				p.everybody(func(who string) {
					p.mknod("d/p-"+who, unix.S_IFIFO|0o644, 0)
					p.mknod("d/s-"+who, unix.S_IFSOCK|0o644, 0)
					p.mknod("d/c-"+who, unix.S_IFCHR|0o644, unix.Mkdev(1, 3))
					p.mknod("d/b-"+who, unix.S_IFBLK|0o644, unix.Mkdev(8, 1))
				})
				p.list("d")
			},
		},
		{
			name: "rename-of-foreign-directories", reason: "a directory that moves changes its '..': EACCES without w on it",
			prepare: []func(*place){func(p *place) {
				p.dir("from", 0o777)
				p.dir("to", 0o777)
				p.dir("from/d", 0o755)
				p.own("from/d", owner, ownerGroup, 0o755)
				p.owned("from/f", owner, ownerGroup, 0o600)
			}},
			act: func(p *place) {
				p.asOther(func() {
					p.rename("from/f", "to/f")
					p.rename("from/d", "from/e")
					p.rename("from/e", "to/e")
				})
				p.list("from")
				p.list("to")
			},
		},
	}
}
