package staging

import (
	"log/slog"
	"testing"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	s, err := Create(dir, Identity{UUID: "u", Kind: KindBlank}, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Append([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBatch()
	b.PutInode(1, []byte("rec"))
	b.PutDentry(1, "x", []byte("d"))
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s, err = Open(dir, "u", slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 5)
	if err := s.ReadAt(p, a); err != nil || string(p) != "hello" {
		t.Fatal(err, p)
	}
	s.View(func(r Reader) error {
		if string(r.Inode(1)) != "rec" {
			t.Error("no rec")
		}
		return nil
	})
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	s.Close()
}
