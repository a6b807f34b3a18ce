package staging

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStateDirThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ reason, dir string }{
		{"a file", file},
		{"below a file", filepath.Join(file, "x")},
		{"where nothing can be made", "/proc/burnfs"},
		{"a name too long", filepath.Join(t.TempDir(), strings.Repeat("x", 300))},
	} {
		_, ferr := Find(t.Context(), row.dir, nil)
		_, cerr := Create(row.dir, Identity{UUID: "u", Kind: KindBlank, Fingerprint: "f"}, slog.New(slog.DiscardHandler))
		if !errors.Is(cerr, ErrNotWritable) || ferr != nil && !errors.Is(ferr, ErrNotWritable) {
			t.Errorf("%s: found with %v, created with %v, should be %v", row.reason, ferr, cerr, ErrNotWritable)
		}
	}
}
