package posix

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

func directoryScripts() []script {
	return []script{
		{
			name: "readdir", reason: "each name once, '.' and '..' too, with d_type and the d_ino of stat(2)",
			prepare: []func(*place){func(p *place) {
				p.dir("d", 0o755)
				for _, k := range renameKinds {
					p.specimen(k, "d/"+k)
				}
			}, func(p *place) {
				for i := range 300 {
					p.file(fmt.Sprintf("d/%s%d", strings.Repeat("n", i%200), i), "")
				}
			}},
			act: func(p *place) {
				p.entries("d")
				p.unlink("d/file")
				p.file("d/0-new", "")
				p.mkdir("d/z-new", 0o755)
				p.rename("d/fifo", "d/fifo2")
				p.commit()
				p.entries("d")
				p.entries("d/full")
				p.entries("d/empty")
			},
		},
		{
			name: "seekdir", reason: "a position that telldir gave leads to the same entry again",
			prepare: []func(*place){func(p *place) {
				p.dir("d", 0o755)
				for i := range 500 {
					p.file(fmt.Sprint("d/some-name-of-a-file-", i), "")
				}
			}},
			act: func(p *place) {
				fd := p.open("d", unix.O_RDONLY|unix.O_DIRECTORY, 0)
				all := p.readAll(fd)
				p.note("%d entries", len(all))
				wrong := 0
				for _, i := range []int{0, 1, 7, 100, 250, 499, 500} {
					_, err := unix.Seek(fd, all[i].next, unix.SEEK_SET)
					p.must(err)
					rest := p.readAll(fd)
					if len(rest) != len(all)-i-1 || len(rest) > 0 && rest[0].name != all[i+1].name {
						wrong++
					}
				}
				p.note("%d positions led elsewhere", wrong)
				_, err := unix.Seek(fd, 0, unix.SEEK_SET)
				p.must(err)
				p.file("d/added", "")
				p.unlink("d/some-name-of-a-file-3")
				p.commit()
				again := p.readAll(fd)
				p.note("rewound: %d entries, added %t, removed %t", len(again), has(again, "added"), has(again, "some-name-of-a-file-3"))
			},
		},
		{
			name: "readdir-while-removing", reason: "rm -r: reading and removing in turns finds all",
			prepare: []func(*place){func(p *place) {
				p.dir("d", 0o755)
				for i := range 1000 {
					p.file(fmt.Sprint("d/f", i), "")
				}
			}},
			act: func(p *place) {
				fd := p.open("d", unix.O_RDONLY|unix.O_DIRECTORY, 0)
				removed := 0
				buf := make([]byte, 2048)
				for {
					n, err := unix.ReadDirent(fd, buf)
					p.must(err)
					if n == 0 {
						break
					}
					for _, e := range parseDirents(buf[:n]) {
						if e.name != "." && e.name != ".." {
							p.must(unix.Unlink(p.at("d/" + e.name)))
							removed++
						}
					}
				}
				p.note("removed %d", removed)
				p.rmdir("d")
			},
		},
		{
			name: "getdents-buffers", reason: "a buffer too small for one entry is EINVAL, no entry is lost at its end",
			prepare: []func(*place){func(p *place) {
				p.dir("d", 0o755)
				for i := range 50 {
					p.file("d/"+strings.Repeat("x", 5*i)+fmt.Sprint(i), "")
				}
			}},
			act: func(p *place) {
				fd := p.open("d", unix.O_RDONLY|unix.O_DIRECTORY, 0)
				for _, size := range []int{300, 1000, 4096, 100000} {
					_, err := unix.Seek(fd, 0, unix.SEEK_SET)
					p.must(err)
					var names []string
					for buf := make([]byte, size); ; {
						n, err := unix.ReadDirent(fd, buf)
						p.must(err)
						if n == 0 {
							break
						}
						for _, e := range parseDirents(buf[:n]) {
							names = append(names, e.name)
						}
					}
					slices.Sort(names)
					p.note("buffer of %d: %d names, %d different", size, len(names), len(slices.Compact(names)))
				}
				_, err := unix.Seek(fd, 0, unix.SEEK_SET)
				p.must(err)
				_, err = unix.ReadDirent(fd, make([]byte, 10))
				p.res(err, "getdents with 10 bytes")
				_, err = unix.ReadDirent(p.open("d/0", unix.O_RDONLY, 0), make([]byte, 1000))
				p.res(err, "getdents of a file")
			},
		},
	}
}

// dirent is an entry as getdents64(2) gives it.
type dirent struct {
	ino  uint64
	next int64
	kind byte
	name string
}

// parseDirents reads struct linux_dirent64: d_ino u64, d_off s64, d_reclen u16,
// d_type u8, d_name.
func parseDirents(b []byte) []dirent {
	var list []dirent
	for len(b) > 19 {
		size := int(nativeU16(b[16:]))
		name, _, _ := strings.Cut(string(b[19:size]), "\x00")
		list = append(list, dirent{ino: nativeU64(b), next: int64(nativeU64(b[8:])), kind: b[18], name: name})
		b = b[size:]
	}
	return list
}

// readAll reads a directory from where it stands.
func (p *place) readAll(fd int) []dirent {
	list, err := readDirents(fd)
	p.must(err)
	return list
}

func readDirents(fd int) ([]dirent, error) {
	var list []dirent
	buf := make([]byte, 4096)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if n <= 0 || err != nil {
			return list, err
		}
		list = append(list, parseDirents(buf[:n])...)
	}
}

func has(list []dirent, name string) bool {
	return slices.ContainsFunc(list, func(e dirent) bool { return e.name == name })
}

// entries notes what getdents64 says of a directory, and whether stat agrees.
func (p *place) entries(name string) {
	fd := p.open(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	list := p.readAll(fd)
	p.close(fd)
	slices.SortFunc(list, func(a, b dirent) int { return strings.Compare(a.name, b.name) })
	for _, e := range list {
		var st unix.Stat_t
		p.must(unix.Lstat(p.at(name+"/"+e.name), &st))
		p.note("%s type %d, of stat %d, inode agrees %t", e.name, e.kind, st.Mode&unix.S_IFMT>>12, e.ino == st.Ino)
	}
}
