package staging

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

var quiet = slog.New(slog.DiscardHandler)

// reopen opens the store "u" and closes it, checked, at the end of the test.
func reopen(t *testing.T, state string, how layout) *Store {
	t.Helper()
	s, err := open(state, "u", quiet, how)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func mustAppend(t *testing.T, s *Store, p []byte) int64 {
	t.Helper()
	addr, err := s.Append(p)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// mustCommit commits changes that mean nothing but make the batch one of the tree's.
func mustCommit(t *testing.T, s *Store, b *Batch) {
	t.Helper()
	b.DeleteInode(1 << 60)
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, s *Store, addr int64, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if err := s.ReadAt(got, addr); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("at %d: %.20q, %v, want %.20q", addr, got, err, want)
	}
}

func TestCreateAndOpen(t *testing.T) {
	state := filepath.Join(t.TempDir(), "not", "there", "yet")
	id := Identity{UUID: "5f3e", Kind: KindForeign, Fingerprint: "f", Name: "/dev/sr0", VolumeID: "PHOTOS", Base: BaseRef{Start: 32, Hash: "h"}}
	if found, err := Find(t.Context(), state, nil); err != nil || len(found) != 0 {
		t.Fatalf("without a state directory: %v, %v", found, err)
	}
	if _, err := Open(state, id.UUID, quiet); !errors.Is(err, ErrNotFound) {
		t.Fatalf("open what is not there: %v", err)
	}
	s, err := Create(state, id, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if s.Identity() != id {
		t.Errorf("identity is %+v", s.Identity())
	}
	if fi, err := os.Stat(s.CommitDir()); err != nil || !fi.IsDir() || filepath.Dir(s.CommitDir()) != s.Dir() {
		t.Errorf("commit directory: %v", err)
	}
	other := id
	other.UUID = "other"
	if err := s.SetIdentity(other); !errors.Is(err, ErrIdentity) {
		t.Errorf("another UUID: %v", err)
	}
	id.Kind, id.Base = KindBurnfs, BaseRef{Start: 64, Hash: "i"}
	if err := s.SetIdentity(id); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if _, err := Create(state, id, quiet); !errors.Is(err, ErrExist) {
		t.Errorf("create again: %v", err)
	}
	if s, err = Open(state, id.UUID, quiet); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Identity() != id {
		t.Errorf("identity is %+v after reopening", s.Identity())
	}
	found, err := Find(t.Context(), state, func(id Identity) bool { return id.VolumeID == "PHOTOS" })
	if err != nil || !slices.Equal(found, []Identity{id}) {
		t.Errorf("found %v, %v", found, err)
	}
	if found, _ := Find(t.Context(), state, func(Identity) bool { return false }); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}

func TestNotWritable(t *testing.T) {
	// Nobody, not even root, makes directories in sysfs.
	_, err := Create("/sys/burnfs", Identity{UUID: "u"}, quiet)
	if !errors.Is(err, ErrNotWritable) || !strings.Contains(err.Error(), "/sys/burnfs") {
		t.Errorf("%v", err)
	}
}

func TestErrorTypes(t *testing.T) {
	for _, tt := range []struct {
		reason string
		err    error
		want   error
	}{
		{"disk full", unix.ENOSPC, ErrFull},
		{"quota used up", unix.EDQUOT, ErrFull},
		{"file size limit", unix.EFBIG, ErrFull},
		{"mounted read-only", unix.EROFS, ErrNotWritable},
		{"no permission", unix.EACCES, ErrNotWritable},
		{"immutable", unix.EPERM, ErrNotWritable},
		{"anything else stays what it is", unix.EIO, unix.EIO},
	} {
		err := writeError("/state", &fs.PathError{Op: "write", Path: "/state/x", Err: tt.err})
		if !errors.Is(err, tt.want) || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v", tt.reason, err)
		}
	}
	if writeError("/state", nil) != nil {
		t.Error("nil became an error")
	}
}

func TestRecords(t *testing.T) {
	s := reopen(t, create(t), layout{})
	b := s.NewBatch()
	for _, ino := range []uint64{256, 1, 1 << 63, 2} {
		b.PutInode(ino, fmt.Append(nil, "i", ino))
	}
	b.PutInode(2, []byte("second"))
	b.PutInode(3, []byte("x"))
	b.DeleteInode(3)
	b.PutInode(4, nil)
	b.DeleteInode(99)
	for _, name := range []string{"b", "a", "a\x00", "ä", "\xff\xff", "A"} {
		b.PutDentry(1, name, []byte(name))
	}
	b.PutDentry(0, "before", nil)
	b.PutDentry(256, "after", nil)
	b.DeleteDentry(1, "b")
	b.PutMeta("k", []byte("v"))
	b.PutMeta("gone", []byte("v"))
	b.PutMeta("gone", nil)
	if b.Len() != 21 {
		t.Errorf("%d changes", b.Len())
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	err := s.View(func(r Reader) error {
		var inodes, names, all []string
		for ino, rec := range r.Inodes() {
			inodes = append(inodes, fmt.Sprintf("%d=%s", ino, rec))
		}
		for name, rec := range r.Dentries(1) {
			if name != string(rec) {
				t.Errorf("record of %q is %q", name, rec)
			}
			names = append(names, name)
		}
		for k := range r.AllDentries() {
			all = append(all, fmt.Sprint(k.Parent, k.Name))
		}
		if want := []string{"1=i1", "2=second", "4=", "256=i256", "9223372036854775808=i9223372036854775808"}; !slices.Equal(inodes, want) {
			t.Errorf("inodes %q, want %q", inodes, want)
		}
		if want := []string{"A", "a", "a\x00", "ä", "\xff\xff"}; !slices.Equal(names, want) {
			t.Errorf("names %q, want %q", names, want)
		}
		if len(all) != 7 || all[0] != "0before" || all[6] != "256after" {
			t.Errorf("all names: %q", all)
		}
		if rec := r.Inode(4); rec == nil || len(rec) != 0 {
			t.Errorf("an empty record is %v", rec)
		}
		if r.Inode(3) != nil || r.Dentry(1, "b") != nil || r.Meta("gone") != nil {
			t.Error("deleted records are there")
		}
		if string(r.Dentry(1, "ä")) != "ä" || string(r.Meta("k")) != "v" {
			t.Error("records are missing")
		}
		for range r.Inodes() {
			break
		}
		for range r.Dentries(1) {
			break
		}
		for range r.AllDentries() {
			break
		}
		return os.ErrInvalid
	})
	if !errors.Is(err, os.ErrInvalid) {
		t.Errorf("View returned %v", err)
	}
}

// A batch that the database refuses changes nothing and does not end the store.
func TestRefusedBatch(t *testing.T) {
	s := reopen(t, create(t), layout{})
	b := s.NewBatch()
	b.PutInode(1, []byte("x"))
	b.PutMeta("", []byte("no key"))
	if err := s.Commit(b); err == nil || errors.Is(err, ErrFailed) {
		t.Errorf("%v", err)
	}
	mustCommit(t, s, s.NewBatch())
	if err := s.View(func(r Reader) error {
		if r.Inode(1) != nil {
			t.Error("half of a refused batch is there")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestUncommittedTailIsDropped(t *testing.T) {
	state := create(t)
	s, err := Open(state, "u", quiet)
	if err != nil {
		t.Fatal(err)
	}
	kept := mustAppend(t, s, []byte("kept"))
	mustCommit(t, s, s.NewBatch())
	sealed := s.Sealed()
	if sealed != s.End() || sealed != kept+4 {
		t.Errorf("sealed at %d, end at %d", sealed, s.End())
	}
	lost := mustAppend(t, s, []byte("lost"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, state, layout{})
	if s.End() != sealed || lost != sealed {
		t.Errorf("the log ends at %d, want %d", s.End(), sealed)
	}
	mustRead(t, s, kept, []byte("kept"))
	if err := s.ReadAt(make([]byte, 1), lost); !errors.Is(err, ErrDamaged) {
		t.Errorf("reading beyond the end: %v", err)
	}
	if fi, err := os.Stat(osDisk(s.dir).path(0)); err != nil || fi.Size() != sealed {
		t.Errorf("segment has %d bytes, %v", fi.Size(), err)
	}
}

func TestWriteAt(t *testing.T) {
	s := reopen(t, create(t), smallLayout(nil))
	data := bytes.Repeat([]byte("abcd"), 10<<10) // over three segments
	addr := mustAppend(t, s, data)
	copy(data[15<<10:], "ZZZZ")
	if err := s.WriteAt(data[15<<10:][:4<<10], addr+15<<10); err != nil {
		t.Fatal(err)
	}
	mustRead(t, s, addr, data)
	for _, at := range []int64{-1, s.End() - 1, 1 << 62} {
		if err := s.WriteAt([]byte("xx"), at); !errors.Is(err, ErrDamaged) {
			t.Errorf("writing at %d: %v", at, err)
		}
	}
}

// Holes appear where ranges were freed, and segments without live bytes disappear.
func TestSpaceComesBack(t *testing.T) {
	state := create(t)
	how := layout{segment: 1 << 20, manual: true}
	s := reopen(t, state, how)
	data := bytes.Repeat([]byte{1}, 256<<10)
	var addrs []int64
	for range 12 { // three segments
		addrs = append(addrs, mustAppend(t, s, data))
	}
	mustCommit(t, s, s.NewBatch())
	blocks := func(n int64) int64 {
		var st unix.Stat_t
		if err := unix.Stat(osDisk(s.dir).path(n), &st); err != nil {
			if errors.Is(err, unix.ENOENT) {
				return -1
			}
			t.Fatal(err)
		}
		return st.Blocks * 512
	}
	full := blocks(0)
	s.Free(addrs[1], int64(len(data)))
	s.sweep(true)
	if blocks(0) != full {
		t.Error("a range went before any commit")
	}
	mustCommit(t, s, s.NewBatch())
	s.sweep(false)
	if got := blocks(0); got > full-int64(len(data)) {
		t.Errorf("segment 0 takes %d bytes of %d", got, full)
	}
	mustRead(t, s, addrs[0], data)
	mustRead(t, s, addrs[2], data)
	s.Free(addrs[3], 2*int64(len(data))) // into segment 1
	s.Free(addrs[0], int64(len(data)))
	s.Free(addrs[2], int64(len(data)))
	mustCommit(t, s, s.NewBatch())
	s.sweep(false)
	if blocks(0) != -1 {
		t.Error("segment 0 is still there")
	}
	if err := s.ReadAt(make([]byte, 1), addrs[0]); !errors.Is(err, ErrDamaged) {
		t.Errorf("reading from a segment that was deleted: %v", err)
	}
	mustRead(t, s, addrs[5], data)
	// The same addresses are not given out again.
	if addr := mustAppend(t, s, data); addr != addrs[11]+int64(len(data)) {
		t.Errorf("next address is %d", addr)
	}
}

// What one by one is too short for a hole goes when its neighbours do, or when space is
// short.
func TestSmallHoles(t *testing.T) {
	d := newMemDisk()
	s := reopen(t, create(t), layout{disk: d, segment: 1 << 20, holeMin: 4 * sector, manual: true})
	data := bytes.Repeat([]byte{1}, 16*sector)
	addr := mustAppend(t, s, data)
	free := func(from, n int64) {
		s.Free(addr+from*sector, n*sector)
		mustCommit(t, s, s.NewBatch())
		s.sweep(false)
	}
	for _, step := range []struct {
		reason  string
		from, n int64
		want    int64 // sectors in use afterwards
	}{
		{"too short", 0, 2, 16},
		{"still too short beside the first", 2, 1, 16},
		{"long enough together", 3, 1, 12},
		{"far from the others", 10, 3, 12},
		{"in a hole that is there", 4, 1, 11},
		{"joins both", 5, 5, 3},
		{"too short at the end of a long one", 13, 1, 2},
		{"too short, behind a live one", 15, 1, 2},
	} {
		free(step.from, step.n)
		if got := d.used() / sector; got != step.want {
			t.Errorf("%s: %d sectors in use, want %d", step.reason, got, step.want)
		}
	}
	if !s.sweep(true) || d.used() != sector {
		t.Errorf("scraping leaves %d sectors", d.used()/sector)
	}
	if s.sweep(true) {
		t.Error("scraping again found something")
	}
	mustRead(t, s, addr+14*sector, data[:sector])
}

func TestPin(t *testing.T) {
	s := reopen(t, create(t), smallLayout(newMemDisk()))
	data := bytes.Repeat([]byte{7}, 32<<10)
	addr := mustAppend(t, s, data)
	mustCommit(t, s, s.NewBatch())
	first := s.Pin()
	second := s.Pin()
	s.Free(addr, int64(len(data)))
	late := s.Pin()
	defer late()
	gone := func() bool {
		t.Helper()
		mustCommit(t, s, s.NewBatch())
		s.sweep(true)
		return s.ReadAt(make([]byte, 1), addr) != nil
	}
	if gone() {
		t.Fatal("freed under two pins")
	}
	first()
	first() // once is enough
	if gone() {
		t.Fatal("freed under the second pin")
	}
	second()
	if !gone() {
		t.Fatal("a pin taken after the free keeps it")
	}
}

// A batch that was begun before a free may name the range; one begun later lets it go.
func TestLateFree(t *testing.T) {
	s := reopen(t, create(t), smallLayout(newMemDisk()))
	data := bytes.Repeat([]byte{7}, 32<<10)
	addr := mustAppend(t, s, data)
	early := s.NewBatch()
	s.Free(addr, int64(len(data)))
	mustCommit(t, s, early)
	mustCommit(t, s, new(Batch))
	note := s.NewBatch()
	note.PutMeta("k", nil)
	if err := s.Commit(note); err != nil {
		t.Fatal(err)
	}
	s.sweep(true)
	mustRead(t, s, addr, data)
	mustCommit(t, s, s.NewBatch())
	s.sweep(true)
	if err := s.ReadAt(make([]byte, 1), addr); err == nil {
		t.Error("never let go")
	}
}

func TestFreeOutsideTheLog(t *testing.T) {
	d := newMemDisk()
	s := reopen(t, create(t), smallLayout(d))
	data := bytes.Repeat([]byte{7}, 4<<10)
	mustAppend(t, s, data)
	s.Free(0, 1<<40)
	s.Free(-5, 10)
	s.Free(0, -1)
	s.Free(1<<62, 1<<62)
	addr := mustAppend(t, s, data)
	mustCommit(t, s, s.NewBatch())
	s.sweep(true)
	mustRead(t, s, 0, data)
	mustRead(t, s, addr, data)
}

func TestReclaim(t *testing.T) {
	d := newMemDisk()
	state := create(t)
	s, err := open(state, "u", quiet, smallLayout(d))
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte{7}, 8<<10)
	for range 8 {
		mustAppend(t, s, data)
	}
	mustCommit(t, s, s.NewBatch())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, state, smallLayout(d))
	if err := s.Reclaim(slices.Values([]Range{{60 << 10, 5 << 10}})); !errors.Is(err, ErrDamaged) {
		t.Errorf("a live range beyond the end: %v", err)
	}
	s.sweep(true)
	if used := d.used(); used != 64<<10 {
		t.Fatalf("%d bytes left after a refused reclaim", used)
	}
	added := mustAppend(t, s, data)
	live := []Range{{40 << 10, 8 << 10}, {9 << 10, 1 << 10}, {8 << 10, 1 << 10}, {9 << 10, 0}, {8 << 10, 512}}
	if err := s.Reclaim(slices.Values(live)); err != nil {
		t.Fatal(err)
	}
	s.sweep(true)
	if used := d.used(); used != 18<<10 {
		t.Errorf("%d bytes left, want %d", used, 18<<10)
	}
	for _, r := range live {
		mustRead(t, s, r.Addr, data[:r.Len])
	}
	mustRead(t, s, added, data)
}

func TestReset(t *testing.T) {
	d := newMemDisk()
	state := create(t)
	s := reopen(t, state, smallLayout(d))
	id := s.Identity()
	data := bytes.Repeat([]byte{7}, 20<<10)
	addr := mustAppend(t, s, data)
	b := s.NewBatch()
	b.PutInode(1, []byte("x"))
	b.PutDentry(1, "n", []byte("x"))
	b.PutMeta("k", []byte("x"))
	mustCommit(t, s, b)
	if err := os.MkdirAll(filepath.Join(s.CommitDir(), "plan", "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	stale := s.NewBatch()
	release := s.Pin()
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(s.CommitDir()); err != nil || len(left) != 0 {
		t.Errorf("commit directory: %v, %v", left, err)
	}
	if err := s.View(func(r Reader) error {
		if r.Inode(1) != nil || r.Dentry(1, "n") != nil || r.Meta("k") != nil {
			t.Error("records are left")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.sweep(true)
	mustRead(t, s, addr, data)
	release()
	s.sweep(true)
	if d.used() != 0 || len(d.names) != 0 {
		t.Errorf("%d bytes in %d segments are left", d.used(), len(d.names))
	}
	if err := s.Commit(stale); err == nil {
		t.Error("a batch from before was committed")
	}
	if next := mustAppend(t, s, data); next < addr+int64(len(data)) {
		t.Errorf("address %d is used again", next)
	}
	mustCommit(t, s, s.NewBatch())
	if s.Identity() != id {
		t.Error("the identity was reset")
	}
}

func TestClosed(t *testing.T) {
	state := create(t)
	s, err := Open(state, "u", quiet)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, []byte("x"))
	b := s.NewBatch()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Append":      second(s.Append([]byte("x"))),
		"WriteAt":     s.WriteAt([]byte("x"), 0),
		"ReadAt":      s.ReadAt(make([]byte, 1), 0),
		"Commit":      s.Commit(b),
		"View":        s.View(func(Reader) error { return nil }),
		"Reset":       s.Reset(),
		"SetIdentity": s.SetIdentity(s.Identity()),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second(_ int64, err error) error { return err }

// Everything at once, for the race detector. Each worker replaces a file again and again;
// what its last commit holds is there after reopening.
func TestConcurrency(t *testing.T) {
	state := create(t)
	how := layout{segment: 64 << 10, holeMin: 4 << 10}
	s, err := open(state, "u", quiet, how)
	if err != nil {
		t.Fatal(err)
	}
	s.db.NoSync = true
	const workers, rounds = 8, 40
	var tree sync.Mutex // a free and the batch that goes with it are one
	last := files{}
	replace := func(ino uint64, p piece) error {
		var err error
		if p.addr, err = s.Append(p.bytes()); err != nil {
			return err
		}
		release := s.Pin()
		defer release()
		tree.Lock()
		defer tree.Unlock()
		for _, old := range last[ino] {
			s.Free(old.addr, old.len)
		}
		last[ino] = []piece{p}
		b := s.NewBatch()
		b.PutInode(ino, encodePieces(last[ino]))
		if err := s.Commit(b); err != nil {
			return err
		}
		return files{ino: {p}}.verify(s)
	}
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for n := range uint64(workers) {
		wg.Go(func() {
			for i := range uint64(rounds) {
				if errs[n] = replace(n, piece{len: int64(1000 + 100*n), seed: n<<32 | i}); errs[n] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, state, how)
	if err := last.verify(s); err != nil {
		t.Error(err)
	}
}

// An error of the disk at any operation is reported, and is no other error.
func TestEveryOperationFails(t *testing.T) {
	injected := errors.New("injected")
	for i := 0; ; i++ {
		d := newMemDisk()
		state := create(t)
		s, err := open(state, "u", quiet, smallLayout(d))
		if err != nil {
			t.Fatal(err)
		}
		s.db.NoSync = true
		n, hit := 0, ""
		d.fail = func(op string) error {
			if n++; n == i+1 {
				hit = op
				return injected
			}
			return nil
		}
		data := bytes.Repeat([]byte{7}, 40<<10)
		addr, err := s.Append(data)
		if err == nil {
			err = s.WriteAt(data[:10], addr)
		}
		if err == nil {
			err = s.Commit(s.NewBatch())
		}
		swept := err == nil
		if swept {
			s.Free(addr, 30<<10)
			mustCommit(t, s, s.NewBatch())
			s.sweep(true)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		switch {
		case hit == "":
			if i < 8 {
				t.Errorf("only %d operations", i)
			}
			return
		case swept && (hit == "punch" || hit == "remove"): // costs space only
		case !errors.Is(err, injected):
			t.Errorf("operation %d, %s: %v", i, hit, err)
		case hit == "datasync" || hit == "sync":
			if !errors.Is(err, ErrFailed) {
				t.Errorf("operation %d, %s: %v", i, hit, err)
			}
		}
	}
}

// After a failed sync the kernel may call lost pages clean: no later commit may succeed.
func TestFailedSyncIsFinal(t *testing.T) {
	d := newMemDisk()
	state := create(t)
	s, err := open(state, "u", quiet, smallLayout(d))
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, []byte("x"))
	d.fail = func(op string) error {
		if op == "datasync" {
			return unix.EIO
		}
		return nil
	}
	if err := s.Commit(s.NewBatch()); !errors.Is(err, ErrFailed) || !errors.Is(err, unix.EIO) {
		t.Fatal(err)
	}
	d.fail = nil
	if err := s.Commit(s.NewBatch()); !errors.Is(err, ErrFailed) {
		t.Errorf("second commit: %v", err)
	}
	if err := s.Reset(); !errors.Is(err, ErrFailed) {
		t.Errorf("reset: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, state, smallLayout(d))
	mustAppend(t, s, []byte("x"))
	mustCommit(t, s, s.NewBatch())
}

// On a file system without holes, whole segments still go.
func TestNoHoles(t *testing.T) {
	d := newMemDisk()
	punches := 0
	d.fail = func(op string) error {
		if op == "punch" {
			punches++
			return unix.EOPNOTSUPP
		}
		return nil
	}
	s := reopen(t, create(t), smallLayout(d))
	addr := mustAppend(t, s, bytes.Repeat([]byte{7}, 40<<10))
	for i := range int64(5) {
		s.Free(addr+i*8<<10, 7<<10)
		mustCommit(t, s, s.NewBatch())
		s.sweep(false)
	}
	if punches != 1 {
		t.Errorf("tried %d times", punches)
	}
	s.Free(addr, 40<<10)
	mustCommit(t, s, s.NewBatch())
	s.sweep(false)
	if len(d.names) != 1 {
		t.Errorf("%d segments are left, want the last", len(d.names))
	}
}

// When the disk is full, Append first takes what has been freed.
func TestFullDiskIsScraped(t *testing.T) {
	d := newMemDisk()
	d.capacity = 64 << 10
	s := reopen(t, create(t), layout{disk: d, segment: 1 << 20, manual: true})
	addr := mustAppend(t, s, bytes.Repeat([]byte{7}, 60<<10))
	if _, err := s.Append(make([]byte, 8<<10)); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	if left, err := s.Available(); err != nil || left != 3<<10 {
		t.Errorf("%d bytes available, %v", left, err)
	}
	s.Free(addr+512, 30<<10)
	mustCommit(t, s, s.NewBatch())
	mustAppend(t, s, bytes.Repeat([]byte{7}, 30<<10))
	if _, err := s.Append(make([]byte, 8<<10)); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
}

// What is kept for the files of a commit is not given to data, and can be given
// again when it is not needed any more.
func TestKeep(t *testing.T) {
	d := newMemDisk()
	d.capacity = 64 << 10
	s := reopen(t, create(t), layout{disk: d, segment: 1 << 20, manual: true})
	before, err := s.Available()
	if err != nil {
		t.Fatal(err)
	}
	s.Keep(20 << 10)
	if left, err := s.Available(); err != nil || left != before-20<<10 {
		t.Errorf("%d bytes available beside 20 KiB kept, %v; without them %d", left, err, before)
	}
	if _, err := s.Append(make([]byte, before-10<<10)); !errors.Is(err, ErrFull) {
		t.Errorf("append into what is kept: %v", err)
	}
	s.Keep(0)
	mustAppend(t, s, make([]byte, before-10<<10))
}
