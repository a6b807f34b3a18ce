package staging

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A database that is damaged is neither used nor replaced, and the data beside it stays.
func TestDamagedDatabase(t *testing.T) {
	for _, tt := range []struct {
		reason string
		change func(b []byte) []byte
	}{
		{"empty", func([]byte) []byte { return []byte{} }},
		{"zeros", func(b []byte) []byte { return make([]byte, len(b)) }},
		{"something else", func([]byte) []byte { return []byte(strings.Repeat("not a database ", 10000)) }},
		{"cut after the two meta pages", func(b []byte) []byte { return b[:2*4096] }},
		{"cut in the middle", func(b []byte) []byte { return b[:40*4096] }},
		{"both meta pages overwritten", func(b []byte) []byte { copy(b, make([]byte, 2*4096)); return b }},
		{"all but the meta pages overwritten", func(b []byte) []byte { clear(b[2*4096:]); return b }},
		{"all but the meta pages garbage", func(b []byte) []byte {
			for i := range b[2*4096:] {
				b[2*4096+i] = 0xff
			}
			return b
		}},
		{"missing", nil},
	} {
		state := create(t)
		s, err := Open(state, "u", quiet)
		if err != nil {
			t.Fatal(err)
		}
		mustAppend(t, s, []byte("precious"))
		b := s.NewBatch()
		for ino := range uint64(1000) {
			b.PutInode(ino, make([]byte, 500))
		}
		if err := s.Commit(b); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(s.Dir(), metaName)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if tt.change == nil {
			err = os.Remove(path)
		} else {
			content = tt.change(content)
			err = os.WriteFile(path, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := openError(state); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", tt.reason, err)
		}
		after, err := os.ReadFile(path)
		if tt.change == nil && !errors.Is(err, os.ErrNotExist) || tt.change != nil && !slices.Equal(after, content) {
			t.Errorf("%s: the database was changed, %v", tt.reason, err)
		}
		if b, err := os.ReadFile(osDisk(s.Dir()).path(0)); err != nil || string(b) != "precious" {
			t.Errorf("%s: the data is %q, %v", tt.reason, b, err)
		}
	}
}

func TestDatabaseOfAnotherDisc(t *testing.T) {
	state := create(t)
	s, err := Create(state, Identity{UUID: "v"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(s.Dir(), metaName), filepath.Join(discsDir(state), "u", metaName)); err != nil {
		t.Fatal(err)
	}
	if err := openError(state); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `"v"`) {
		t.Error(err)
	}
}

// The disk under a mapped database may stop delivering pages, which the kernel reports as a
// fault. Files in the mount must stay readable as far as they can be.
func TestDatabaseBecomesUnreadable(t *testing.T) {
	state := create(t)
	s := reopen(t, state, layout{})
	b := s.NewBatch()
	for ino := range uint64(2000) {
		b.PutInode(ino, make([]byte, 500))
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	addr := mustAppend(t, s, []byte("precious"))
	if err := os.Truncate(filepath.Join(s.Dir(), metaName), 2*4096); err != nil {
		t.Fatal(err)
	}
	err := s.View(func(r Reader) error {
		for range r.Inodes() {
			continue
		}
		return nil
	})
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("View: %v", err)
	}
	b = s.NewBatch()
	b.PutInode(1, []byte("x"))
	for range 2 {
		if err := s.Commit(b); !errors.Is(err, ErrFailed) {
			t.Errorf("Commit: %v", err)
		}
	}
	mustRead(t, s, addr, []byte("precious"))
}

func TestPanicsOfCallersAreNotCaught(t *testing.T) {
	s := reopen(t, create(t), layout{})
	defer func() {
		if r := recover(); r != "mine" {
			t.Errorf("recovered %v", r)
		}
	}()
	err := s.View(func(Reader) error { panic("mine") })
	t.Error(err)
}

func TestMissingSegment(t *testing.T) {
	state := create(t)
	s, err := Open(state, "u", quiet)
	if err != nil {
		t.Fatal(err)
	}
	p := piece{len: 10000, seed: 1}
	p.addr = mustAppend(t, s, p.bytes())
	b := s.NewBatch()
	b.PutInode(7, encodePieces([]piece{p}))
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(osDisk(s.Dir()).path(0)); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, state, layout{})
	if err := s.ReadAt(make([]byte, 1), p.addr); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "log-00000000") {
		t.Error(err)
	}
	// Other files can still be staged.
	q := piece{len: 100, seed: 2}
	q.addr = mustAppend(t, s, q.bytes())
	if err := (files{1: {q}}).verify(s); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		reason string
		// damage changes the store before it is closed, given a file of three pieces.
		damage func(s *Store, b *Batch, ps []piece) error
		want   []string // in the texts of the findings
		sure   bool
	}{
		{"all is well", func(*Store, *Batch, []piece) error { return nil }, nil, false},
		{"a record that cannot be read", func(_ *Store, b *Batch, _ []piece) error {
			b.PutInode(8, []byte("short"))
			return nil
		}, []string{"inode 8 cannot be read"}, true},
		{"a range beyond the log", func(s *Store, b *Batch, _ []piece) error {
			b.PutInode(8, encodePieces([]piece{{addr: s.End() - 1, len: 2}}))
			return nil
		}, []string{"inode 8"}, true},
		{"a negative range", func(_ *Store, b *Batch, _ []piece) error {
			b.PutInode(8, encodePieces([]piece{{addr: -1, len: 1}}))
			return nil
		}, []string{"inode 8"}, true},
		{"two inodes with the same bytes", func(_ *Store, b *Batch, ps []piece) error {
			b.PutInode(8, encodePieces([]piece{{addr: ps[1].addr + 5, len: 1}}))
			return nil
		}, []string{"inodes 7 and 8"}, true},
		{"a segment cut short", func(s *Store, _ *Batch, ps []piece) error {
			return os.Truncate(osDisk(s.dir).path(0), ps[2].addr+1)
		}, []string{"has only"}, true},
		{"a segment missing", func(s *Store, _ *Batch, _ []piece) error {
			return os.Remove(osDisk(s.dir).path(0))
		}, []string{"missing", "missing", "missing"}, true},
		{"a hole where there were bytes", func(s *Store, _ *Batch, ps []piece) error {
			return s.data.drop(Range{up(ps[1].addr, 4096), 4096})
		}, []string{"hole"}, false},
	} {
		state := create(t)
		s, err := Open(state, "u", quiet)
		if err != nil {
			t.Fatal(err)
		}
		var ps []piece
		for i := range uint64(3) {
			p := piece{len: 20000, seed: i}
			p.addr = mustAppend(t, s, p.bytes())
			ps = append(ps, p)
		}
		b := s.NewBatch()
		b.PutInode(7, encodePieces(ps))
		if err := s.data.sync(); err != nil {
			t.Fatal(err)
		}
		if err := tt.damage(s, b, ps); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(b); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		findings, err := check(state, "u", pieceRanges)
		if err != nil || len(findings) != len(tt.want) {
			t.Errorf("%s: %+v, %v", tt.reason, findings, err)
			continue
		}
		for i, f := range findings {
			if !strings.Contains(f.text, tt.want[i]) || f.doubtful == tt.sure || f.ino == 0 {
				t.Errorf("%s: %+v, want %q", tt.reason, f, tt.want[i])
			}
		}
	}
}

// A page that bbolt cannot make sense of is a finding or an error, never a crash.
func TestCheckDamagedPages(t *testing.T) {
	state := create(t)
	s, err := Open(state, "u", quiet)
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBatch()
	for ino := range uint64(3000) {
		b.PutInode(ino, fmt.Append(nil, "record of ", ino))
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Dir(), metaName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	noticed := 0
	for page := 2; page < 40; page++ {
		b := slices.Clone(whole)
		copy(b[page*4096:], make([]byte, 4096))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		findings, err := check(state, "u", func(uint64, []byte) ([]Range, error) { return nil, nil })
		if err != nil || len(findings) > 0 {
			noticed++
		}
	}
	if noticed < 5 {
		t.Errorf("only %d of the damaged pages were noticed", noticed)
	}
}
