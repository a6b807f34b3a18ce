package powercut

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/session/tree"
)

// manifest describes what is below path, a line for each name: everything that a user sees,
// inode numbers and times included.
func manifest(t *tree.Tree, path string) (string, error) {
	n, err := lookup(t, path)
	if errors.Is(err, tree.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = walk(t, n, path, &b)
	return b.String(), err
}

func lookup(t *tree.Tree, path string) (n *tree.Node, err error) {
	n = t.Root()
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			continue
		}
		if n, err = t.Lookup(background(), n, name); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return n, nil
}

func walk(t *tree.Tree, n *tree.Node, path string, b *strings.Builder) error {
	ctx := background()
	var list []tree.Dirent
	var err error
	if n.IsDir() {
		// First: it makes the link count of the directory known.
		if list, err = t.ReadDir(ctx, n); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	a, err := t.Attr(ctx, n)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(b, "%s ino=%d mode=%o nlink=%d uid=%d mtime=%d ctime=%d", path, a.Ino, a.Mode, a.Nlink, a.UID, a.Mtime.UnixNano(), a.Ctime.UnixNano())
	switch a.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		p := make([]byte, a.Size)
		if k, err := t.ReadAt(ctx, n, p, 0); err != nil && !errors.Is(err, io.EOF) || int64(k) != a.Size {
			return fmt.Errorf("%s: read %d of %d bytes: %w", path, k, a.Size, err)
		}
		fmt.Fprintf(b, " %d %x", a.Size, sha256.Sum256(p))
	case unix.S_IFLNK:
		target, err := t.Readlink(ctx, n)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintf(b, " -> %s", target)
	}
	names, err := t.ListXattr(ctx, n)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, x := range names {
		v, err := t.Xattr(ctx, n, x)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", path, x, err)
		}
		fmt.Fprintf(b, " %s=%q", x, v)
	}
	b.WriteByte('\n')
	for _, e := range list {
		c, err := t.Lookup(ctx, n, e.Name)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", path, e.Name, err)
		}
		if err := walk(t, c, path+"/"+e.Name, b); err != nil {
			return err
		}
	}
	return nil
}

// differences lists lines that only one of two manifests has.
func differences(want, got string) string {
	in := func(s string) map[string]bool {
		m := map[string]bool{}
		for l := range strings.Lines(s) {
			m[l] = true
		}
		return m
	}
	var b strings.Builder
	for l := range in(want) {
		if !in(got)[l] {
			b.WriteString("- " + l)
		}
	}
	for l := range in(got) {
		if !in(want)[l] {
			b.WriteString("+ " + l)
		}
	}
	return b.String()
}
