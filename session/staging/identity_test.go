package staging

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIdentityNames(t *testing.T) {
	for _, tt := range []struct {
		reason, uuid string
		ok           bool
	}{
		{"a UUID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", true},
		{"a time, as mkisofs makes them", "2024010112000000", true},
		{"empty", "", false},
		{"leaves the directory", "..", false},
		{"hidden", ".x", false},
		{"a path", "a/b", false},
		{"a NUL", "a\x00", false},
		{"not ASCII", "ä", false},
		{"too long", strings.Repeat("x", 129), false},
	} {
		err := Identity{UUID: tt.uuid}.validate()
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrIdentity) {
			t.Errorf("%s: %v", tt.reason, err)
		}
		_, openErr := Open(t.TempDir(), tt.uuid, quiet)
		if errors.Is(openErr, ErrIdentity) == tt.ok {
			t.Errorf("%s: Open: %v", tt.reason, openErr)
		}
	}
}

// Stored identities must be readable for ever.
const storedIdentity = `{
	"format": 1,
	"uuid": "u",
	"kind": "burnfs",
	"fingerprint": "f",
	"name": "/dev/sr0",
	"volume_id": "PHOTOS",
	"base": {
		"start": 32,
		"hash": "h"
	}
}
`

func TestStoredIdentity(t *testing.T) {
	want := Identity{UUID: "u", Kind: KindBurnfs, Fingerprint: "f", Name: "/dev/sr0", VolumeID: "PHOTOS", Base: BaseRef{Start: 32, Hash: "h"}}
	got, err := parseIdentity([]byte(storedIdentity))
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	b, err := encodeIdentity(want)
	if err != nil || string(b) != storedIdentity {
		t.Errorf("stored as %s, %v", b, err)
	}
}

func TestDamagedIdentity(t *testing.T) {
	for _, tt := range []struct {
		reason, content string
		want            error
	}{
		{"cut short by a crash", storedIdentity[:20], ErrDamaged},
		{"empty", "", ErrDamaged},
		{"zeros", "\x00\x00\x00\x00", ErrDamaged},
		{"no format", `{"uuid":"u"}`, ErrDamaged},
		{"a later format, whatever it looks like", `{"format":2,"uuid":7}`, ErrVersion},
		{"of another disc", strings.Replace(storedIdentity, `"u"`, `"v"`, 1), ErrDamaged},
		{"wrong types", `{"format":1,"uuid":7}`, ErrDamaged},
	} {
		state := create(t)
		path := filepath.Join(discsDir(state), "u", identityName)
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := Create(state, Identity{UUID: "good"}, quiet); err != nil {
			t.Fatal(err)
		} else if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"Open":   openError(state),
			"Create": createError(state),
			"Check":  checkError(state),
		} {
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %s: %v", tt.reason, what, err)
			}
		}
		// It neither hides nor is hidden by others.
		found, err := Find(t.Context(), state, nil)
		if !errors.Is(err, tt.want) || len(found) != 1 || found[0].UUID != "good" {
			t.Errorf("%s: Find: %v, %v", tt.reason, found, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != tt.content {
			t.Errorf("%s: the file was touched", tt.reason)
		}
	}
}

func openError(state string) error {
	s, err := Open(state, "u", quiet)
	if err == nil {
		err = s.Close()
	}
	return err
}

func createError(state string) error {
	s, err := Create(state, Identity{UUID: "u"}, quiet)
	if err == nil {
		err = s.Close()
	}
	return err
}

func checkError(state string) error {
	_, err := check(state, "u", pieceRanges)
	return err
}

func TestFindIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, create(t), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A Create that was cut short anywhere is repeated; staged data without a disc.json is not
// thrown away.
func TestCreateAfterCrash(t *testing.T) {
	for _, left := range [][]string{{}, {"lock"}, {"lock", metaName}, {"lock", metaName, "commit/x", ".disc.json123"}} {
		state := t.TempDir()
		dir := filepath.Join(discsDir(state), "u")
		for _, name := range left {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if found, err := Find(t.Context(), state, nil); err != nil || len(found) != 0 {
			t.Errorf("%q: found %v, %v", left, found, err)
		}
		if err := openError(state); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: open: %v", left, err)
		}
		if err := createError(state); err != nil {
			t.Errorf("%q: create: %v", left, err)
		}
		if err := openError(state); err != nil {
			t.Errorf("%q: open what was created: %v", left, err)
		}
		if names, err := filepath.Glob(filepath.Join(dir, ".disc.json*")); err != nil || len(names) != 0 {
			t.Errorf("%q: left %q, %v", left, names, err)
		}
	}
	state := create(t)
	s, err := Open(state, "u", quiet)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, []byte("precious"))
	mustCommit(t, s, s.NewBatch())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.Dir(), identityName)); err != nil {
		t.Fatal(err)
	}
	_, findErr := Find(t.Context(), state, nil)
	for what, err := range map[string]error{"Create": createError(state), "Open": openError(state), "Find": findErr} {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s without disc.json: %v", what, err)
		}
	}
	if b, err := os.ReadFile(osDisk(s.Dir()).path(0)); err != nil || string(b) != "precious" {
		t.Errorf("the data is %q, %v", b, err)
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add([]byte(storedIdentity))
	f.Add([]byte(`{"format":2}`))
	f.Add([]byte(`{"format":1,"uuid":"../x"}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := parseIdentity(b)
		if err != nil {
			return
		}
		if id.validate() != nil {
			t.Fatalf("%q names a store", id.UUID)
		}
		stored, err := encodeIdentity(id)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parseIdentity(stored); err != nil || back != id {
			t.Fatalf("%+v became %+v, %v", id, back, err)
		}
	})
}
