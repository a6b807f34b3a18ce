package fusefs

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"bazil.org/fuse"

	"burnfs/session"
	"burnfs/session/tree"
)

func TestErrno(t *testing.T) {
	for _, c := range []struct {
		err    error
		want   error
		logged bool
		reason string
	}{
		{nil, nil, false, "no error must stay an untyped nil"},
		{tree.ErrNotExist, syscall.ENOENT, false, "an everyday answer is no news"},
		{fmt.Errorf("%w: reading block 7: %w", tree.ErrIO, errors.New("medium error")), syscall.EIO, true, "the cause must be found somewhere"},
		{fmt.Errorf("writing: %w", tree.ErrFull), syscall.ENOSPC, true, "a full disc is news"},
		{fmt.Errorf("looking: %w", tree.ErrNotExist), syscall.ENOENT, false, "a wrapped everyday answer is logged for debugging only"},
		{context.Canceled, syscall.EINTR, false, "the caller is dying"},
		{fmt.Errorf("waiting: %w", context.Canceled), syscall.EINTR, false, "bazil would make EIO of a wrapped one"},
		{fmt.Errorf("%w: reading: %w", tree.ErrIO, context.Canceled), syscall.EINTR, false, "what was interrupted did not fail"},
		{syscall.EPERM, syscall.EPERM, false, "errno values of our own pass"},
		{fmt.Errorf("deep down: %w", syscall.ENOENT), syscall.EIO, true, "an errno of the local disk is not about the mount"},
		{&session.CommitError{Phase: "burning", Err: &session.DiscError{Kind: session.ErrWrongDisc, What: "another disc"}}, syscall.EMEDIUMTYPE, true, "a commit that fails says why"},
		{errors.New("unheard of"), syscall.EIO, true, "whatever is not on the ladder"},
	} {
		log := new(lockedBuffer)
		f := &filesystem{log: slog.New(slog.NewTextHandler(log, nil))}
		got := f.errno("test", c.err)
		if got != c.want {
			t.Errorf("errno(%v) = %v, want %v: %s", c.err, got, c.want, c.reason)
		}
		if (log.String() != "") != c.logged {
			t.Errorf("errno(%v) logged %q: %s", c.err, log.String(), c.reason)
		}
		if got != nil && fuse.ToErrno(got) != fuse.Errno(c.want.(syscall.Errno)) {
			t.Errorf("bazil makes %v of %v: %s", fuse.ToErrno(got), got, c.reason)
		}
	}
}

// TestLadderIsComplete finds the exported errors of the packages whose errors
// reach a mount and wants a row for each.
func TestLadderIsComplete(t *testing.T) {
	rows := sentinelsUsed(t, "errno.go")
	for pkg, dir := range map[string]string{
		"tree":    "../session/tree",
		"session": "../session",
	} {
		declared := sentinelsDeclared(t, dir)
		if len(declared) == 0 {
			t.Errorf("%s declares no errors: is that still where they are?", dir)
		}
		for _, name := range declared {
			if !slices.Contains(rows, pkg+"."+name) {
				t.Errorf("%s.%s has no row in errno.go", pkg, name)
			}
		}
	}
	if len(rows) != len(ladder) {
		t.Errorf("%d errors are named in errno.go and %d rows are on the ladder: %v", len(rows), len(ladder), rows)
	}
	for i, r := range ladder {
		for _, above := range ladder[:i] {
			if errors.Is(r.err, above.err) {
				t.Errorf("the row of %q is never reached: it is a %q", r.err, above.err)
			}
		}
	}
}

// sentinelsDeclared are the package variables Err… of a package.
func sentinelsDeclared(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, n := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(n.Name, "Err") {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

// sentinelsUsed are the expressions pkg.Err… of a file.
func sentinelsUsed(t *testing.T, path string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Err") {
			if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name != "syscall" && s.Sel.Name != "Error" {
				names = append(names, pkg.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return names
}
