package tree

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
)

// oddBase is a session of directories by address; the root's is 20.
type oddBase struct {
	own  bool
	dirs map[uint32][]volume.Entry
}

func (b *oddBase) Root(context.Context) (volume.Entry, error) {
	e := oddDir("", 20, 0)
	e.Serial = RootIno
	return e, nil
}

func (b *oddBase) ReadDir(_ context.Context, at iso9660.Section) iter.Seq2[volume.Entry, error] {
	return func(yield func(volume.Entry, error) bool) {
		for i, e := range b.dirs[at.LBA] {
			e.RecordLBA, e.RecordOffset = at.LBA, uint16(i)*64
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (b *oddBase) OwnSerials() bool { return b.own }

func oddDir(name string, lba, serial uint32) volume.Entry {
	return volume.Entry{Name: name, Mode: fdir, Nlink: 2, Serial: serial, HasSerial: true, Sections: []iso9660.Section{{LBA: lba, Size: 2048}}}
}

func oddFile(name string, lba, serial uint32) volume.Entry {
	return volume.Entry{Name: name, Mode: file, Nlink: 1, Serial: serial, HasSerial: true, Size: 10, Sections: []iso9660.Section{{LBA: lba, Size: 10}}}
}

// twoNames is e as one of two names.
func twoNames(e volume.Entry) volume.Entry {
	e.Nlink = 2
	return e
}

// longer is a directory that claims to have one more byte.
func longer(e volume.Entry) volume.Entry {
	e.Sections = []iso9660.Section{{LBA: e.Sections[0].LBA, Size: e.Sections[0].Size + 1}}
	return e
}

// onBase mounts a disc that has base.
func onBase(t *testing.T, base Base) *bench {
	b := newBench(t, roomy)
	b.must(b.tree.Close(b.ctx))
	tr, err := Open(b.ctx, Options{Store: b.store, NextIno: 1 << 20, Space: roomy, Base: base, FlushEvery: time.Hour})
	b.must(err)
	b.tree = tr
	return b
}

// recorded is what a session would hold: every path with its first block.
func (b *bench) recorded() (string, error) {
	b.Helper()
	f, err := b.tree.Freeze(b.ctx)
	b.must(err)
	defer f.Release()
	root, err := f.Root(b.ctx)
	b.must(err)
	var lines []string
	var walk func(e Entry, path string) error
	walk = func(e Entry, path string) error {
		seen := map[string]bool{}
		for c, err := range f.Children(b.ctx, e) {
			if err != nil {
				return err
			}
			if len(lines) > 1000 {
				return errors.New("the tree has no end")
			}
			if seen[c.Name] {
				return fmt.Errorf("the name %s/%s twice", path, c.Name)
			}
			seen[c.Name] = true
			line := path + "/" + c.Name
			if len(c.Pieces) > 0 {
				line += fmt.Sprintf("@%d", c.Pieces[0].LBA)
			}
			lines = append(lines, line)
			if isDirMode(c.Attr.Mode) {
				if err := walk(c, path+"/"+c.Name); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err = walk(root, "")
	return strings.Join(lines, " "), err
}

// look reads all directories that the mount shows.
func (b *bench) look(dir *Node, depth int) {
	b.Helper()
	list, err := b.tree.ReadDir(b.ctx, dir)
	b.must(err)
	if depth > 20 {
		b.Fatal("the tree has no end")
	}
	for _, e := range list {
		if e.Type == unix.S_IFDIR {
			n, err := b.tree.Lookup(b.ctx, dir, e.Name)
			b.must(err)
			b.look(n, depth+1)
		}
	}
}

// TestOddDiscs: what others record, or what is left of what we did.
func TestOddDiscs(t *testing.T) {
	for _, c := range []struct {
		reason string
		base   *oddBase
		want   string // what the next session holds; "" if none may be made
	}{
		{"a name twice: both files stay", &oddBase{dirs: map[uint32][]volume.Entry{
			20: {oddFile("a", 30, 0), oddFile("a", 31, 0), oddFile("a~2", 32, 0), oddFile("b", 33, 0)},
		}}, "/a@30 /a~2@31 /a~2~2@32 /b@33"},
		{"a long name twice", &oddBase{dirs: map[uint32][]volume.Entry{
			20: {oddFile(strings.Repeat("n", 255), 30, 0), oddFile(strings.Repeat("n", 255), 31, 0)},
		}}, "/" + strings.Repeat("n", 255) + "@30 /" + strings.Repeat("n", 253) + "~2@31"},
		{"a serial number that was wiped out", &oddBase{own: true, dirs: map[uint32][]volume.Entry{
			20: {oddFile("a", 30, 5), oddFile("b", 31, 0)},
		}}, ""},
		{"a directory that says it is the root", &oddBase{own: true, dirs: map[uint32][]volume.Entry{
			20: {oddDir("d", 21, RootIno)},
		}}, ""},
		{"a directory in itself", &oddBase{dirs: map[uint32][]volume.Entry{
			20: {oddDir("d", 21, 0)}, 21: {oddDir("e", 22, 0)}, 22: {oddDir("loop", 21, 0)},
		}}, ""},
		{"the root in a directory", &oddBase{dirs: map[uint32][]volume.Entry{
			20: {oddFile("a", 30, 0), oddDir("d", 21, 0)}, 21: {oddDir("loop", 20, 0)},
		}}, ""},
		{"a directory in itself, of another size", &oddBase{dirs: map[uint32][]volume.Entry{
			20: {oddDir("d", 21, 0)}, 21: {longer(oddDir("loop", 21, 0))},
		}}, ""},
		{"a directory in two places", &oddBase{dirs: map[uint32][]volume.Entry{
			20: {oddDir("d", 21, 0), oddDir("e", 21, 0)}, 21: {oddFile("a", 30, 0)},
		}}, ""},
		{"one number for two files", &oddBase{own: true, dirs: map[uint32][]volume.Entry{
			20: {twoNames(oddFile("a", 30, 7)), twoNames(oddFile("b", 31, 7))},
		}}, ""},
		{"one number for two files without links", &oddBase{own: true, dirs: map[uint32][]volume.Entry{
			20: {oddFile("a", 30, 7), oddFile("b", 31, 7)},
		}}, ""},
		{"a number that new files would get", &oddBase{own: true, dirs: map[uint32][]volume.Entry{
			20: {oddFile("a", 30, 7), oddFile("b", 31, 1<<20)},
		}}, ""},
		{"hard links so far away that their number would be a new file's", &oddBase{dirs: map[uint32][]volume.Entry{
			20: {twoNames(oddFile("a", 1<<26, 7)), twoNames(oddFile("b", 1<<32-1, 8))},
		}}, "/a@67108864 /b@4294967295"},
		{"a file and a directory with one number", &oddBase{own: true, dirs: map[uint32][]volume.Entry{
			20: {oddFile("a", 30, 7), oddDir("d", 21, 7)},
		}}, ""},
	} {
		for _, looked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, looked %v", c.reason, looked), func(t *testing.T) {
				b := onBase(t, c.base)
				if looked {
					b.look(b.tree.Root(), 0)
				}
				got, err := b.recorded()
				if c.want == "" {
					if looked && !errors.Is(err, ErrIO) {
						t.Errorf("error %v, want ErrIO", err)
					}
					if !looked && err == nil && !strings.HasPrefix(c.reason, "a file and a directory with one number") && c.reason != "one number for two files without links" {
						t.Error("no error")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range strings.Split(c.want, " ") {
					if !strings.Contains(" "+got+" ", " "+w+" ") {
						t.Errorf("the session holds %s, want %s", got, c.want)
					}
				}
			})
		}
	}
}

// Times are shown as they can be recorded, so that a commit changes none.
func TestTimesThatCannotBeRecorded(t *testing.T) {
	b := onBase(t, &oddBase{dirs: map[uint32][]volume.Entry{20: {oddFile("undated", 30, 0)}}})
	n, err := b.tree.Lookup(b.ctx, b.tree.Root(), "undated")
	b.must(err)
	if a, _ := b.tree.Attr(b.ctx, n); a.Mtime.Unix() != 0 {
		t.Errorf("a file without any time shows %v", a.Mtime)
	}
	for _, c := range []struct{ set, want string }{
		{"1066-10-14T00:00:00.5Z", "1900-01-01T00:00:00Z"},
		{"1899-12-31T23:59:59.5Z", "1900-01-01T00:00:00Z"},
		{"1900-01-01T00:00:00.5Z", "1900-01-01T00:00:00.5Z"},
		{"1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.25Z"},
		{"2155-12-31T23:59:59.25Z", "2155-12-31T23:59:59.25Z"},
		{"2156-01-01T00:00:00Z", "2155-12-31T23:59:59.999999999Z"},
		{"9999-01-01T00:00:00Z", "2155-12-31T23:59:59.999999999Z"},
	} {
		set, err := time.Parse(time.RFC3339Nano, c.set)
		b.must(err)
		a, err := b.tree.SetAttr(b.ctx, n, SetAttr{Mtime: &set, Atime: &set})
		b.must(err)
		if got := a.Mtime.UTC().Format(time.RFC3339Nano); got != c.want || !a.Atime.Equal(a.Mtime) {
			t.Errorf("%s is shown as %s, want %s", c.set, got, c.want)
		}
	}
}

// The target of a symlink and its attributes share what a record can hold.
func TestAttributesBesideALongTarget(t *testing.T) {
	b := newBench(t, roomy)
	l, err := b.tree.Create(b.ctx, b.tree.Root(), "l", New{Mode: unix.S_IFLNK | 0o777, Target: strings.Repeat("a/", 2000)})
	b.must(err)
	f := b.create(b.tree.Root(), "f", file)
	v := make([]byte, 50_000)
	b.must(b.tree.SetXattr(b.ctx, f, "trusted.x", v, 0))
	if err := b.tree.SetXattr(b.ctx, l, "trusted.x", v, 0); !errors.Is(err, ErrXattrTooBig) {
		t.Errorf("50000 bytes beside a target of 4000: %v", err)
	}
}
