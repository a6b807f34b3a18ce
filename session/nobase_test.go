package session

import (
	"errors"
	"testing"

	"burnfs/session/staging"
)

// TestStagedChangesWithoutABase: staging that does not say which session its
// changes build upon is damaged, not empty.
func TestStagedChangesWithoutABase(t *testing.T) {
	r := newRig(t, "bd-r")
	r.open()
	r.put("f", []byte("must not be lost"))
	want := r.manifest()
	uuid := r.disc.store.Identity().UUID
	r.close()
	// setBase replaces what the journal knows of the base.
	setBase := func(v []byte) (old []byte) {
		s, err := staging.Open(r.opt.StateDir, uuid, r.opt.Log)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.View(func(v staging.Reader) error {
			old = append(old, v.Meta(metaBase)...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		b := s.NewBatch()
		b.PutMeta(metaBase, v)
		if err := s.Commit(b); err != nil {
			t.Fatal(err)
		}
		return old
	}
	base := setBase(nil)
	if err := r.tryOpen(); !errors.Is(err, ErrStaging) {
		t.Errorf("error %v, want ErrStaging", err)
	}
	if r.disc != nil {
		r.close()
	}
	setBase(base)
	r.open()
	r.same("after the base is known again", want)
}
