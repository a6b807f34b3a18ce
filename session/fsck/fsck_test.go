package fsck_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"golang.org/x/sys/unix"

	"burnfs/session/fsck"
	"burnfs/session/journal"
	"burnfs/session/staging"
	"burnfs/session/tree"
)

// record is an inode record as package tree stores it, by the numbers of its fields.
type record map[int]any

const (
	fieldNlink   = 2
	fieldMode    = 1
	fieldContent = 11
	fieldSeq     = 15
	fieldDataSeq = 16
)

var roomy = tree.Space{Total: 12_219_392, Free: 12_219_392, Overhead: 100}

// uuid of the store of these tests.
const uuid = "0b7d9c3e-6a54-4c38-9d5e-1f2a3b4c5d6e"

// made is a store with two files, one of them with two names, in directories, for a blank
// disc, and its inode numbers.
type made struct {
	state, dir       string
	sub, file, other uint64
}

func newStore(t testing.TB) made {
	t.Helper()
	state, err := os.MkdirTemp("/dev/shm", "burnfs-fsck-")
	if err != nil {
		state = t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(state); err != nil {
			t.Error(err)
		}
	})
	log := slog.New(slog.DiscardHandler)
	s, err := staging.Create(state, staging.Identity{UUID: uuid, Kind: staging.KindBlank, Name: "/disc"}, log)
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBatch()
	b.PutMeta(journal.KeyBase, []byte(`{"start":0,"hash":""}`))
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	tr, err := tree.Open(ctx, tree.Options{Store: s, Space: roomy, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	create := func(dir *tree.Node, name string, mode uint32) *tree.Node {
		n, err := tr.Create(ctx, dir, name, tree.New{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	sub := create(tr.Root(), "sub", unix.S_IFDIR|0o755)
	deep := create(sub, "deep", unix.S_IFDIR|0o755)
	file := create(sub, "file", unix.S_IFREG|0o644)
	other := create(deep, "other", unix.S_IFREG|0o644)
	for i, n := range []*tree.Node{file, other} {
		if _, err := tr.WriteAt(ctx, n, bytes.Repeat([]byte{'a' + byte(i)}, 200_000), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.Link(ctx, file, tr.Root(), "link"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Close(ctx), s.Close()); err != nil {
		t.Fatal(err)
	}
	return made{state, s.Dir(), sub.Ino(), file.Ino(), other.Ino()}
}

// edit changes records of the store.
func (m made) edit(t testing.TB, f func(r staging.Reader, b *staging.Batch)) {
	t.Helper()
	s, err := staging.Open(m.state, uuid, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b := new(staging.Batch)
	if err := s.View(func(r staging.Reader) error { f(r, b); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Commit(b), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// change edits fields of one inode record.
func (m made) change(t testing.TB, ino uint64, f func(record)) {
	t.Helper()
	m.edit(t, func(r staging.Reader, b *staging.Batch) {
		rec := record{}
		if err := cbor.Unmarshal(r.Inode(ino), &rec); err != nil {
			t.Fatal(err)
		}
		f(rec)
		raw, err := cbor.Marshal(rec)
		if err != nil {
			t.Fatal(err)
		}
		b.PutInode(ino, raw)
	})
}

// name is the record of a name.
func name(ino, seq uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint([]byte{0}, ino), seq)
}

func check(t testing.TB, dir string) *fsck.Report {
	t.Helper()
	r, err := fsck.Dir(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func kinds(r *fsck.Report) []fsck.Kind {
	all := map[fsck.Kind]bool{}
	for _, f := range r.Findings {
		all[f.Kind] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// snapshot is everything in a directory.
func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.Walk(dir, func(p string, fi os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		all[p] = fmt.Sprint(fi.Mode(), fi.Size(), fi.ModTime())
		if fi.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			all[p] += string(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWholeStore(t *testing.T) {
	m := newStore(t)
	before := snapshot(t, m.dir)
	r := check(t, m.dir)
	if len(r.Findings) > 0 || !r.Deep {
		t.Errorf("deep %v, findings %v", r.Deep, r.Findings)
	}
	if !maps.Equal(before, snapshot(t, m.dir)) {
		t.Error("the check has changed something")
	}
}

// TestEachDamage damages a store in one way and expects that to be found, and nothing else.
func TestEachDamage(t *testing.T) {
	write := func(file, content string) func(*testing.T, made) {
		return func(t *testing.T, m made) {
			if err := os.WriteFile(filepath.Join(m.dir, file), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	field := func(ino func(made) uint64, f func(record)) func(*testing.T, made) {
		return func(t *testing.T, m made) { m.change(t, ino(m), f) }
	}
	names := func(f func(m made, b *staging.Batch)) func(*testing.T, made) {
		return func(t *testing.T, m made) {
			m.edit(t, func(_ staging.Reader, b *staging.Batch) { f(m, b) })
		}
	}
	file := func(m made) uint64 { return m.file }
	sub := func(m made) uint64 { return m.sub }
	for _, row := range []struct {
		reason   string
		damage   func(*testing.T, made)
		want     fsck.Kind
		doubtful bool
	}{
		{"disc.json of a later format", write("disc.json", `{"format":99}`), fsck.KindVersion, false},
		{"disc.json is no JSON", write("disc.json", `{"format":`), fsck.KindIdentity, false},
		{"disc.json is gone", func(t *testing.T, m made) { must(t, os.Remove(filepath.Join(m.dir, "disc.json"))) }, fsck.KindIdentity, false},
		{"disc.json of another disc", write("disc.json", `{"format":1,"uuid":"other","kind":"blank"}`), fsck.KindIdentity, false},
		{"disc.json of no kind of disc", write("disc.json", `{"format":1,"uuid":"`+uuid+`","kind":"wax"}`), fsck.KindIdentity, false},
		{"no database", func(t *testing.T, m made) { must(t, os.Remove(filepath.Join(m.dir, "meta.db"))) }, fsck.KindDatabase, false},
		{"an empty database", write("meta.db", ""), fsck.KindDatabase, false},
		{"a database of text", write("meta.db", string(bytes.Repeat([]byte("no database "), 10_000))), fsck.KindDatabase, false},
		{"a part of the log is gone", func(t *testing.T, m made) { must(t, os.Remove(filepath.Join(m.dir, "log-00000000"))) }, fsck.KindRange, false},
		{"a part of the log is too short", func(t *testing.T, m made) { must(t, os.Truncate(filepath.Join(m.dir, "log-00000000"), 300_000)) }, fsck.KindRange, false},
		{"a hole in the log", func(t *testing.T, m made) {
			f, err := os.OpenFile(filepath.Join(m.dir, "log-00000000"), os.O_RDWR, 0)
			must(t, err)
			must(t, unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 8192, 65536))
			must(t, f.Close())
		}, fsck.KindHole, true},
		{"an unknown file", write("notes.txt", "mine"), fsck.KindUnknown, true},
		{"an unknown file in the commit's directory", write("commit/notes.txt", "mine"), fsck.KindUnknown, true},
		{"a content record of nonsense", field(file, func(r record) { r[fieldContent] = []byte("nonsense") }), fsck.KindInode, false},
		{"a file of no type", field(file, func(r record) { r[fieldMode] = 0o170000 }), fsck.KindInode, false},
		{"an inode record of nonsense", names(func(m made, b *staging.Batch) { b.PutInode(m.file, []byte{0xff}) }), fsck.KindInode, false},
		{"bytes behind the end of the log", field(file, func(r record) { r[fieldContent] = content(1<<40, 10) }), fsck.KindRange, false},
		{"two files with the same bytes", field(file, func(r record) { r[fieldContent] = content(200_000, 10) }), fsck.KindShared, false},
		{"too many links", field(file, func(r record) { r[fieldNlink] = 5 }), fsck.KindLinks, false},
		{"too few links", field(file, func(r record) { r[fieldNlink] = 1 }), fsck.KindLinks, false},
		{"a directory with a wrong count", field(sub, func(r record) { r[fieldNlink] = 7 }), fsck.KindLinks, false},
		{"a change from the future", field(file, func(r record) { r[fieldSeq] = 1 << 40 }), fsck.KindSequence, false},
		{"content newer than the file", field(file, func(r record) { r[fieldSeq], r[fieldDataSeq] = 1, 2 }), fsck.KindSequence, false},
		{"a number that is given out again", names(func(m made, b *staging.Batch) {
			b.PutMeta(tree.KeyNextIno, binary.BigEndian.AppendUint64(nil, m.other))
		}), fsck.KindNextInode, false},
		{"a name of nonsense", names(func(m made, b *staging.Batch) { b.PutDentry(m.sub, "file", []byte{7}) }), fsck.KindName, false},
		{"a name with a slash", names(func(m made, b *staging.Batch) {
			b.DeleteDentry(m.sub, "file")
			b.PutDentry(m.sub, "../file", name(m.file, 1))
		}), fsck.KindName, false},
		{"a name of nothing", names(func(m made, b *staging.Batch) { b.PutDentry(m.sub, "ghost", name(m.other+1000, 1)) }), fsck.KindDangling, false},
		{"a name in no directory", names(func(m made, b *staging.Batch) {
			b.DeleteDentry(m.sub, "file")
			b.PutDentry(m.other+1000, "file", name(m.file, 1))
		}), fsck.KindParent, false},
		{"a name in a file", names(func(m made, b *staging.Batch) {
			b.DeleteDentry(m.sub, "file")
			b.PutDentry(m.other, "file", name(m.file, 1))
		}), fsck.KindParent, false},
		{"a file without a name", names(func(m made, b *staging.Batch) {
			b.DeleteDentry(m.sub, "file")
			b.DeleteDentry(tree.RootIno, "link")
		}), fsck.KindOrphan, false},
		{"a directory in two places", names(func(m made, b *staging.Batch) { b.PutDentry(tree.RootIno, "again", name(m.sub, 1)) }), fsck.KindTwice, false},
		{"a directory in itself", names(func(m made, b *staging.Batch) {
			b.DeleteDentry(tree.RootIno, "sub")
			b.PutDentry(m.sub, "sub", name(m.sub, 1))
		}), fsck.KindCycle, false},
		{"a journal of nonsense", names(func(_ made, b *staging.Batch) { b.PutMeta(journal.KeyBase, []byte("{")) }), fsck.KindJournal, false},
		{"no base in the journal", names(func(_ made, b *staging.Batch) { b.PutMeta(journal.KeyBase, nil) }), fsck.KindJournal, false},
		{"a plan without files", names(func(_ made, b *staging.Batch) { b.PutMeta(journal.KeyPlan, []byte(`{"seq":1}`)) }), fsck.KindPlan, false},
	} {
		t.Run(row.reason, func(t *testing.T) {
			m := newStore(t)
			row.damage(t, m)
			before := snapshot(t, m.dir)
			r := check(t, m.dir)
			if got := kinds(r); !slices.Equal(got, []fsck.Kind{row.want}) && !alsoLinks(row.want, got) {
				t.Errorf("findings %v, should be %q", r.Findings, row.want)
			}
			for _, f := range r.Findings {
				if (f.Severity == fsck.Doubtful) != row.doubtful {
					t.Errorf("%v: doubtful should be %v", f, row.doubtful)
				}
				if f.Text == "" || f.Means == "" {
					t.Errorf("%+v says nothing", f)
				}
			}
			if r.Damaged() == row.doubtful {
				t.Errorf("damaged is %v", r.Damaged())
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
			if !maps.Equal(before, snapshot(t, m.dir)) {
				t.Error("the check has changed something")
			}
		})
	}
}

// alsoLinks: who takes names away or adds one makes the link counts wrong, too, and what
// is below a directory that is lost is lost with it.
func alsoLinks(want fsck.Kind, got []fsck.Kind) bool {
	ofNames := []fsck.Kind{fsck.KindName, fsck.KindParent, fsck.KindOrphan, fsck.KindTwice, fsck.KindCycle, fsck.KindDangling}
	if !slices.Contains(ofNames, want) || !slices.Contains(got, want) {
		return false
	}
	for _, k := range got {
		if k != want && k != fsck.KindLinks && !(want == fsck.KindCycle && (k == fsck.KindOrphan || k == fsck.KindParent)) {
			return false
		}
	}
	return true
}

// content is a stored extent map of n staged bytes at addr.
func content(addr, n int64) []byte {
	b := []byte{1}
	b = binary.AppendUvarint(b, uint64(n)) // size
	b = binary.AppendUvarint(b, 1)         // extents
	b = binary.AppendUvarint(b, 2)         // no gap, staged
	b = binary.AppendUvarint(b, uint64(n))
	return binary.AppendVarint(b, addr)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestInUse: a store that somebody has open is not looked at.
func TestInUse(t *testing.T) {
	m := newStore(t)
	s, err := staging.Open(m.state, uuid, slog.New(slog.DiscardHandler))
	must(t, err)
	_, err = fsck.Dir(t.Context(), m.dir)
	if le, ok := errors.AsType[*staging.LockedError](err); !ok || le.PID != os.Getpid() {
		t.Errorf("a store in use: %v", err)
	}
	must(t, s.Close())
	// Two may look at the same time, and nobody may change it meanwhile.
	one, err := staging.OpenReadOnly(m.dir)
	must(t, err)
	two, err := staging.OpenReadOnly(m.dir)
	must(t, err)
	if _, err := staging.Open(m.state, uuid, slog.New(slog.DiscardHandler)); !errors.Is(err, staging.ErrLocked) {
		t.Errorf("opened while it was looked at: %v", err)
	}
	must(t, errors.Join(one.Close(), two.Close()))
}

// FuzzStore damages bytes of a real store: a check ends, does not panic, and changes
// nothing. The first byte says which file, the others where and what.
func FuzzStore(f *testing.F) {
	f.Add([]byte{0, 0, 16, 0, 1})
	f.Add([]byte{0, 0x40, 0x10, 0x05, 7, 0, 0x60, 0, 0, 9})
	f.Add([]byte{1, 0, 0, 3, 9})
	f.Add([]byte{2, 0, 0, 0, 1})
	m := newStore(f)
	files := []string{"meta.db", "disc.json", "log-00000000", "lock"}
	whole := map[string][]byte{}
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil {
			f.Fatal(err)
		}
		whole[name] = b
	}
	f.Fuzz(func(t *testing.T, edits []byte) {
		dir := filepath.Join(t.TempDir(), uuid)
		must(t, os.MkdirAll(filepath.Join(dir, "commit"), 0o700))
		broken := map[string][]byte{}
		for _, name := range files {
			broken[name] = slices.Clone(whole[name])
		}
		for ; len(edits) >= 5; edits = edits[5:] {
			b := broken[files[int(edits[0])%len(files)]]
			if len(b) > 0 {
				at := int(edits[1])<<16 | int(edits[2])<<8 | int(edits[3])
				b[at%len(b)] = edits[4]
			}
		}
		for name, b := range broken {
			must(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		}
		if _, err := fsck.Dir(t.Context(), dir); err != nil {
			t.Errorf("not checked: %v", err)
		}
		for name, b := range broken {
			if now, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(now, b) {
				t.Errorf("%s was changed: %v", name, err)
			}
		}
	})
}

// TestRandomDamage is FuzzStore with pages of the database that are in use.
func TestRandomDamage(t *testing.T) {
	m := newStore(t)
	path := filepath.Join(m.dir, "meta.db")
	whole, err := os.ReadFile(path)
	must(t, err)
	used := 0
	for i, b := range whole {
		if b != 0 {
			used = i
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	found := 0
	for range 60 {
		b := slices.Clone(whole)
		for range 1 + rng.IntN(8) {
			b[rng.IntN(used)] = byte(rng.Uint32())
		}
		must(t, os.WriteFile(path, b, 0o600))
		if r := check(t, m.dir); r.Damaged() {
			found++
		}
	}
	if found == 0 {
		t.Error("no damage was found in any of them")
	}
}
