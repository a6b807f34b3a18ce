package posix

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// specimens of what rename(2) can meet.
var renameKinds = []string{"file", "hard", "empty", "full", "link", "dangling", "fifo", "dev", "socket", "missing"}

// specimen makes one.
func (p *place) specimen(kind, name string) {
	switch kind {
	case "file":
		p.file(name, "content of "+name)
	case "hard":
		p.file(name, "shared content")
		p.must(unix.Link(p.at(name), p.at(name+"-twin")))
	case "empty":
		p.dir(name, 0o755)
	case "full":
		p.dir(name, 0o755)
		p.file(name+"/inside", "in "+name)
	case "link":
		p.must(unix.Symlink(".", p.at(name)))
	case "dangling":
		p.must(unix.Symlink("nowhere", p.at(name)))
	case "fifo":
		p.must(unix.Mkfifo(p.at(name), 0o644))
	case "dev":
		p.must(unix.Mknod(p.at(name), unix.S_IFCHR|0o600, int(unix.Mkdev(5, 300))))
	case "socket":
		p.must(unix.Mknod(p.at(name), unix.S_IFSOCK|0o600, 0))
	}
}

// forPairs calls do with each pair of specimens, and their names.
func forPairs(do func(from, to, a, b string)) {
	for _, from := range renameKinds {
		for _, to := range renameKinds {
			do(from, to, "a-"+from+"-"+to, "b-"+from+"-"+to)
		}
	}
}

// noRename2 is why the flags of renameat2(2) have no effect.
const noRename2 = "bazil.org/fuse does not know FUSE_RENAME2; callers get EINVAL and fall back"

func renameScripts() []script {
	pairs := []func(*place){
		func(p *place) { forPairs(func(from, _, a, _ string) { p.specimen(from, a) }) },
		func(p *place) { forPairs(func(_, to, _, b string) { p.specimen(to, b) }) },
	}
	return []script{
		{
			name: "rename-of-each-onto-each", reason: "file onto file, directory onto empty directory, nothing else",
			prepare: pairs,
			act: func(p *place) {
				forPairs(func(_, _, a, b string) {
					p.rename(a, b)
					p.stat(a, b)
				})
				p.commit()
				forPairs(func(from, to, _, b string) {
					p.stat(b, b+"-twin")
					if from == "full" {
						p.list(b)
					}
					if from == "file" {
						p.content(b)
					}
				})
			},
		},
		{
			name: "rename-between-directories", reason: "the same with another directory, and '..' follows",
			prepare: []func(*place){func(p *place) {
				p.dir("x", 0o755)
				p.dir("y", 0o755)
				for _, k := range renameKinds {
					p.specimen(k, "x/"+k)
				}
			}, func(p *place) {
				for _, k := range renameKinds {
					if k != "full" {
						p.specimen(k, "y/"+k)
					}
				}
			}},
			act: func(p *place) {
				for _, k := range renameKinds {
					p.rename("x/"+k, "y/"+k)
					p.stat("y/" + k)
				}
				p.stat("x", "y", "y/full/..", "y/hard", "x/hard-twin")
				p.commit()
				p.stat("x", "y", "y/full/..", "y/empty/..")
				p.list("x")
				p.list("y")
				p.rename("y/full", "x/full")
				p.rename("y/hard", "x/hard")
				p.stat("x", "y", "x/full/..", "x/hard")
				p.content("x/full/inside")
			},
		},
		{
			name: "rename-into-itself", reason: "a directory does not become its own child; EINVAL whatever is there",
			prepare: []func(*place){func(p *place) {
				p.dir("a", 0o755)
				p.dir("a/b", 0o755)
				p.dir("a/b/c", 0o755)
				p.file("a/f", "x")
			}},
			act: func(p *place) {
				p.rename("a", "a/x")
				p.rename("a", "a/b")
				p.rename("a", "a/b/x")
				p.rename("a", "a/b/c")
				p.rename("a/b", "a")
				p.rename("a/b/c", "a")
				p.rename("a/b/c", "a/b")
				p.rename("a", "a")
				p.rename("a/f", "a/f/x")
				p.rename("a", "a/f")
				p.rename("a/b/c", "a/../c")
				p.rename("a", "c/a")
				p.rename("c", "c/a/b/c")
				p.commit()
				p.rename("c", "c/a/x")
				p.list("c/a")
				p.list("c/a/b")
				p.stat("c", "c/a", "c/a/b", ".")
			},
		},
		{
			name: "rename-onto-hard-link", reason: "two names of one file: nothing happens, both stay",
			prepare: []func(*place){func(p *place) { p.dir("d", 0o755); p.file("a", "content") },
				func(p *place) { p.must(unix.Link(p.at("a"), p.at("b"))); p.must(unix.Link(p.at("a"), p.at("d/c"))) }},
			act: func(p *place) {
				p.changes("rename onto itself", []string{"a", "b", "."}, func() { p.rename("a", "b") })
				p.rename("a", "d/c")
				p.rename("d/c", "a")
				p.stat("a", "b", "d/c")
				p.commit()
				p.rename("b", "a")
				p.stat("a", "b", "d/c")
				p.file("e", "another")
				p.rename("e", "a")
				p.stat("a", "b", "d/c")
				p.rename("b", "d/c")
				p.unlink("b")
				p.stat("d/c", "b")
				p.content("d/c")
			},
		},
		{
			name: "rename-chain", reason: "names that move around, with a commit in between, end where they should",
			prepare: []func(*place){func(p *place) {
				for i := range 6 {
					p.dir(fmt.Sprint("d", i), 0o755)
					p.file(fmt.Sprintf("d%d/f%d", i, i), fmt.Sprint("content ", i))
				}
			}},
			act: func(p *place) {
				p.rename("d0", "tmp")
				for i := range 5 {
					p.rename(fmt.Sprint("d", i+1), fmt.Sprint("d", i))
				}
				p.rename("tmp", "d5")
				p.commit()
				for i := range 6 {
					p.list(fmt.Sprint("d", i))
				}
				p.rename("d0", "d1/in")
				p.rename("d1", "d2/in")
				p.rename("d2", "d3/in")
				p.commit()
				p.content("d3/in/in/in/f1")
				p.rename("d3/in/in/in", "d0")
				p.rename("d3/in", "d2")
				p.commit()
				p.list(".")
				p.list("d2")
				p.list("d2/in")
				p.list("d3")
				p.content("d0/f1")
				p.stat("d0", "d2", "d2/in", "d3")
			},
		},
		{
			name: "rename-of-open-files", reason: "a descriptor leads to the file, whatever becomes of its name",
			prepare: []func(*place){func(p *place) {
				p.file("a", "content of a")
				p.file("b", "content of b")
				p.dir("d", 0o755)
				p.file("d/f", "x")
			}},
			act: func(p *place) {
				a, b, d := p.open("a", unix.O_RDWR, 0), p.open("b", unix.O_RDWR, 0), p.open("d", unix.O_RDONLY|unix.O_DIRECTORY, 0)
				p.rename("a", "b")
				p.fstat(a, "a")
				p.fstat(b, "b")
				p.pread(b, 100, 0)
				p.pwrite(a, "changed", 0)
				p.pwrite(b, "nameless", 0)
				p.commit()
				p.content("b")
				p.pread(b, 100, 0)
				p.rename("d", "e")
				f, err := unix.Openat(d, "f", unix.O_RDONLY|unix.O_CLOEXEC, 0)
				p.res(err, "openat")
				p.pread(f, 10, 0)
				p.must(unix.Close(f))
				p.fstat(d, "d")
				p.stat("e")
			},
		},
		{
			name: "renameat2", reason: "programs fall back where a file system does not have the flags",
			prepare: []func(*place){func(p *place) {
				for i := range 6 {
					p.file(fmt.Sprint("f", i), fmt.Sprint(i))
				}
				p.dir("d", 0o755)
			}},
			act: func(p *place) {
				p.renameat2("f0", "f1", 0)
				p.content("f1")
				p.renameat2("f1", "f2", unix.RENAME_NOREPLACE)
				p.renameat2("f2", "new", unix.RENAME_NOREPLACE)
				p.renameat2("f3", "f4", unix.RENAME_EXCHANGE)
				p.renameat2("f5", "gone", unix.RENAME_WHITEOUT)
				p.renameat2("missing", "new", unix.RENAME_NOREPLACE)
				p.renameat2("f3", "d", unix.RENAME_EXCHANGE|unix.RENAME_NOREPLACE)
				p.renameat2("f3", "missing", unix.RENAME_EXCHANGE)
				p.renameat2("f1", "d", 1<<10)
				p.content("f3")
			},
			differs: []difference{
				{"renameat2 f2 new 1 = ok", "renameat2 f2 new 1 = EINVAL", noRename2},
				{"renameat2 f3 f4 2 = ok", "renameat2 f3 f4 2 = EINVAL", noRename2},
				{"renameat2 f5 gone 4 = ok", "renameat2 f5 gone 4 = EINVAL", noRename2},
				{`content of f3 "4"`, `content of f3 "3"`, noRename2},
			},
		},
	}
}
