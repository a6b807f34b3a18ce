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
