package check_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
)

// A file plays a medium.
type file struct{ *os.File }

func (f file) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	_, err := f.ReadAt(p, int64(lba)*iso9660.BlockSize)
	return err
}

func openFile(t testing.TB, path string) file {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return file{f}
}

// hostTree is a directory with what foreign producers are to record.
func hostTree(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	deep := "deep"
	for i := range 12 {
		deep += fmt.Sprintf("/level %d with a long name", i)
	}
	for _, dir := range []string{deep, "d/e", "many", "empty directory"} {
		must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	write := func(name, content string) {
		must(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o644))
	}
	write("hello.txt", "hello")
	write("empty", "")
	write("Grüße, 世界", "u")
	write(strings.Repeat("n", 200), "long")
	write("d/e/two", strings.Repeat("2", 100_000))
	write(deep+"/bottom", "at the bottom")
	for i := range 150 {
		write(fmt.Sprintf("many/a file with a name that is rather long %d", i), strings.Repeat("x", i*50))
	}
	must(t, os.Link(filepath.Join(root, "hello.txt"), filepath.Join(root, "d/hard link")))
	must(t, os.Symlink("hello.txt", filepath.Join(root, "symlink")))
	// genisoimage never ends with a target of 500 bytes.
	must(t, os.Symlink(strings.Repeat("/long", 30), filepath.Join(root, "long symlink")))
	must(t, os.Chmod(filepath.Join(root, "hello.txt"), 0o600))
	return root
}

func tool(t testing.TB, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// TestForeign demands that nothing severe is found on what others write, and
// nothing at all beyond the habits that a row names.
func TestForeign(t *testing.T) {
	for _, row := range []struct {
		name   string
		habits []check.Rule
		reason string
		make   func(t testing.TB, root, iso string)
	}{
		{"genisoimage", []check.Rule{check.LinkCount}, "it counts the root as a subdirectory of rr_moved", func(t testing.TB, root, iso string) {
			tool(t, "genisoimage", "-quiet", "-R", "-J", "-joliet-long", "-o", iso, root)
		}},
		{"genisoimage -r", nil, "nothing odd", func(t testing.TB, root, iso string) {
			tool(t, "genisoimage", "-quiet", "-r", "-iso-level", "4", "-o", iso, root)
		}},
		{"genisoimage -D", nil, "nothing odd", func(t testing.TB, root, iso string) {
			tool(t, "genisoimage", "-quiet", "-R", "-J", "-joliet-long", "-D", "-o", iso, root)
		}},
		{"genisoimage plain", nil, "nothing odd", func(t testing.TB, root, iso string) {
			tool(t, "genisoimage", "-quiet", "-D", "-o", iso, root)
		}},
		{"genisoimage relaxed", []check.Rule{check.IdentifierForm}, "-U leaves small letters, dots and no version numbers", func(t testing.TB, root, iso string) {
			tool(t, "genisoimage", "-quiet", "-D", "-U", "-J", "-joliet-long", "-o", iso, root)
		}},
		{"xorriso", []check.Rule{check.DirectoryParent, check.JolietMissing}, ".. of its Joliet directories is a second ., and paths of more than 240 characters are left out", func(t testing.TB, root, iso string) {
			tool(t, "xorriso", "-md5", "on", "-xattr", "on", "-acl", "on", "-joliet", "on", "-outdev", "stdio:"+iso, "-map", root, "/", "-commit")
		}},
		{"xorriso new_rr", nil, "nothing odd", func(t testing.TB, root, iso string) {
			tool(t, "xorriso", "-md5", "on", "-hardlinks", "on", "-compliance", "new_rr", "-outdev", "stdio:"+iso, "-padding", "0", "-map", root, "/", "-commit")
		}},
		{"xorriso as mkisofs", []check.Rule{check.DirectoryParent, check.JolietMissing}, ".. of its Joliet directories is a second ., and paths of more than 240 characters are left out", func(t testing.TB, root, iso string) {
			tool(t, "xorriso", "-as", "mkisofs", "-R", "-J", "-joliet-long", "-o", iso, root)
		}},
		{"xorriso relocating", []check.Rule{check.DirectoryParent, check.JolietMissing}, ".. of its Joliet directories is a second ., and paths of more than 240 characters are left out", func(t testing.TB, root, iso string) {
			tool(t, "xorriso", "-compliance", "deep_paths_off", "-rr_reloc_dir", "rr_moved", "-joliet", "on", "-outdev", "stdio:"+iso, "-map", root, "/", "-commit")
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			iso := filepath.Join(t.TempDir(), "image.iso")
			row.make(t, hostTree(t), iso)
			judge(t, run(t, openFile(t, iso), 0, true), row.habits)
		})
	}
}

// judge allows warnings of some rules.
func judge(t testing.TB, all []check.Finding, habits []check.Rule) {
	t.Helper()
	for _, f := range all {
		allowed := false
		for _, h := range habits {
			allowed = allowed || f.Rule == h
		}
		if !allowed {
			t.Error(f)
		}
	}
}
