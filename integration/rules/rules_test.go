package rules

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath   string
	Name         string
	Doc          string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Doc,Imports,TestImports,XTestImports", "burnfs/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 20 {
		t.Fatalf("only %d packages were found", len(list))
	}
	return list
}

// layer is the top-level folder of a package of this module, "" for others.
func layer(path string) string {
	rest, ok := strings.CutPrefix(path, "burnfs/")
	if !ok {
		return ""
	}
	top, _, _ := strings.Cut(rest, "/")
	return top
}

// below says what each layer may import besides itself.
//
//	cmd → fusefs → session → iso9660, mmc          integration → all of them
var below = map[string][]string{
	"cmd":         {"fusefs", "session", "iso9660", "mmc"},
	"fusefs":      {"session"},
	"session":     {"iso9660", "mmc"},
	"iso9660":     {},
	"mmc":         {},
	"integration": {"fusefs", "session", "iso9660", "mmc"},
}

// owners are the layers that may import a module; what is not named here is free.
var owners = map[string][]string{
	"bazil.org/fuse":         {"fusefs", "integration"},
	"github.com/spf13/cobra": {"cmd"},
	"github.com/spf13/pflag": {"cmd"},
	"go.etcd.io/bbolt":       {"session"},
}

// fusefs' tests mount real discs, so they reach all the way down.
var testBelow = map[string][]string{"fusefs": {"session", "iso9660", "mmc"}}

// shelf takes the discs of all tests, and imports nothing of burnfs itself.
const shelf = "burnfs/integration/shelf"

func TestImportsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		from := layer(p.ImportPath)
		allowed, known := below[from]
		if !known {
			t.Errorf("%s lies in the folder %s, which the layout does not have", p.ImportPath, from)
			continue
		}
		check := func(imports, allowed []string, what string) {
			for _, path := range imports {
				if to := layer(path); to != "" && to != from && path != shelf && !slices.Contains(allowed, to) {
					t.Errorf("%s%s imports %s: an import only ever points down", p.ImportPath, what, path)
				}
				for module, may := range owners {
					if (path == module || strings.HasPrefix(path, module+"/")) && !slices.Contains(may, from) {
						t.Errorf("%s%s imports %s, which is for %v only", p.ImportPath, what, path, may)
					}
				}
			}
		}
		check(p.Imports, allowed, "")
		check(slices.Concat(p.TestImports, p.XTestImports), append(slices.Clone(allowed), testBelow[from]...), " (its tests)")
	}
}

// TestEveryPackageSaysWhatItIs: a package comment that begins as godoc wants it.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command "
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: the package comment is %q, should begin with %q", p.ImportPath, p.Doc, want)
		}
	}
}

// TestNoDumpingGrounds: no package is named for what has no better place.
func TestNoDumpingGrounds(t *testing.T) {
	for _, p := range packages(t) {
		for _, bad := range []string{"util", "utils", "common", "helpers", "misc"} {
			if p.Name == bad {
				t.Errorf("%s: a name that says nothing", p.ImportPath)
			}
		}
	}
}
