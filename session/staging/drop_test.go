package staging

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

func TestDrop(t *testing.T) {
	state, log := t.TempDir(), slog.New(slog.DiscardHandler)
	id := Identity{UUID: "disc", Kind: KindBlank, Fingerprint: "f"}
	s, err := Create(state, id, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := Drop(s.Dir(), log); !errors.Is(err, ErrLocked) {
		t.Errorf("dropped while it is open: %v", err)
	}
	if _, err := s.Append([]byte("data")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Commit(s.NewBatch()), s.Close()); err != nil {
		t.Fatal(err)
	}
	// What a cut behind the point of no return leaves is no store and hides none.
	half := filepath.Join(filepath.Dir(s.Dir()), droppedPrefix+"disc")
	if err := os.CopyFS(half, os.DirFS(s.Dir())); err != nil {
		t.Fatal(err)
	}
	found, err := Find(t.Context(), state, nil)
	if err != nil || len(found) != 1 {
		t.Errorf("beside one that was dropped: found %v, %v", found, err)
	}
	if err := Drop(s.Dir(), log); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Dir(s.Dir()))
	if err != nil || len(left) != 0 {
		t.Errorf("dropped, and there is still %v (%v)", left, err)
	}
	if _, err := Open(state, id.UUID, log); !errors.Is(err, ErrNotFound) {
		t.Errorf("opened after it was dropped: %v", err)
	}
	if err := Drop(s.Dir(), log); !errors.Is(err, ErrNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
	// The next one removes what a cut has left.
	if err := os.MkdirAll(filepath.Join(half, "commit"), 0o700); err != nil {
		t.Fatal(err)
	}
	if s, err = Create(state, id, log); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was dropped is still there: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDropNotOurs: a directory that only looks like a store loses nothing, and neither do its
// neighbours.
func TestDropNotOurs(t *testing.T) {
	above, log := t.TempDir(), slog.New(slog.DiscardHandler)
	dir, precious := filepath.Join(above, "dir"), filepath.Join(above, "dir", "thesis.txt")
	neighbour := filepath.Join(above, droppedPrefix+"thesis")
	for _, d := range []string{dir, neighbour} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{filepath.Join(dir, identityName), precious} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Drop(dir, log); !errors.Is(err, ErrNotOurs) {
		t.Errorf("with a file of somebody else in it: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("in it is left %v, %v", left, err)
	}
	link := filepath.Join(above, "link")
	if err := errors.Join(os.Remove(precious), os.Symlink(dir, link)); err != nil {
		t.Fatal(err)
	}
	if err := Drop(link, log); !errors.Is(err, ErrNotFound) {
		t.Errorf("a link: %v", err)
	}
	if err := Drop(dir, log); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(neighbour); err != nil {
		t.Errorf("a directory beside it, outside of any state directory: %v", err)
	}
}

// TestLockOfDropped: who had the lock file open when the store was dropped has not got the
// store that takes its place.
func TestLockOfDropped(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "disc")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := stillThere(f, dir); err != nil {
		t.Errorf("in place: %v", err)
	}
	if err := os.Rename(dir, dir+"-dropped"); err != nil {
		t.Fatal(err)
	}
	if err := stillThere(f, dir); !errors.Is(err, ErrLocked) {
		t.Errorf("moved away: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	other, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := stillThere(f, dir); !errors.Is(err, ErrLocked) {
		t.Errorf("replaced: %v", err)
	}
	if err := errors.Join(f.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
}
