package volume_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"burnfs/iso9660/volume"
)

// namesTree makes a directory with names that every tree must bend in its own way.
func namesTree(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "source")
	must(t, os.MkdirAll(filepath.Join(root, "Some Directory", "nested.dir"), 0o755))
	must(t, os.Mkdir(filepath.Join(root, "dir.with.ext"), 0o755))
	for _, name := range []string{
		"README", "a.b.c.d", "Mixed Case.Txt", "grüße.txt", "日本語", "no_extension", "semi;colon",
		"fifty characters and a little more than fifty of them.text",
		strings.Repeat("x", 90) + ".long", ".hidden", "trailing.", "UPPER.TXT", "dir.with.ext/file",
		"Some Directory/nested.dir/Leaf.File",
	} {
		write(t, filepath.Join(root, name), []byte("content of "+name), 0o644)
	}
	for i := range 120 {
		write(t, filepath.Join(root, "dir.with.ext", fmt.Sprintf("Numbered File %03d.data", i)), fmt.Appendf(nil, "%d", i), 0o644)
	}
	return root
}

// paths lists a volume in the form of find.
func paths(t *testing.T, v *volume.Volume) []string {
	t.Helper()
	var list []string
	for name := range walk(t, v) {
		if name != "." {
			list = append(list, "/"+name)
		}
	}
	slices.Sort(list)
	return list
}

func diff(t *testing.T, what string, got, want []string) {
	t.Helper()
	for _, name := range got {
		if !slices.Contains(want, name) {
			t.Errorf("%s does not have %q", what, name)
		}
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("only %s has %q", what, name)
		}
	}
}

// TestListings compares the names in each kind of tree with those that isoinfo,
// bsdtar and 7z show, and the contents with what bsdtar extracts.
func TestListings(t *testing.T) {
	source := namesTree(t)
	for _, tt := range []struct {
		name    string
		command []string
		opt     volume.Options
		tree    volume.TreeKind
		isoinfo []string
		bsdtar  string
		sevenz  bool
	}{
		{
			name: "Rock Ridge", command: []string{"genisoimage", "-quiet", "-R", "-J", "-joliet-long", "-o", "IMAGE", "SOURCE"},
			tree: volume.RockRidge, isoinfo: []string{"-R"}, bsdtar: "iso9660:!joliet",
		},
		{
			name: "Joliet of genisoimage", command: []string{"genisoimage", "-quiet", "-J", "-joliet-long", "-input-charset", "utf-8", "-o", "IMAGE", "SOURCE"},
			tree: volume.Joliet, isoinfo: []string{"-J"}, bsdtar: "iso9660:!rockridge", sevenz: true,
		},
		{
			name: "Joliet of xorriso", command: []string{"xorriso", "-joliet", "on", "-compliance", "joliet_long_names", "-outdev", "stdio:IMAGE", "-map", "SOURCE", "/", "-commit"},
			opt: volume.Options{NoRockRidge: true}, tree: volume.Joliet, isoinfo: []string{"-J"}, bsdtar: "iso9660:!rockridge", sevenz: true,
		},
		{
			name: "level 1", command: []string{"genisoimage", "-quiet", "-iso-level", "1", "-input-charset", "utf-8", "-o", "IMAGE", "SOURCE"},
			tree: volume.Plain, isoinfo: []string{}, bsdtar: "iso9660:!rockridge",
		},
		{
			name: "level 2", command: []string{"genisoimage", "-quiet", "-iso-level", "2", "-input-charset", "utf-8", "-o", "IMAGE", "SOURCE"},
			tree: volume.Plain, isoinfo: []string{}, bsdtar: "iso9660:!rockridge",
		},
		{
			name: "beside the others", command: []string{"genisoimage", "-quiet", "-R", "-J", "-joliet-long", "-input-charset", "utf-8", "-o", "IMAGE", "SOURCE"},
			opt: volume.Options{NoRockRidge: true, NoJoliet: true}, tree: volume.Plain, isoinfo: []string{}, bsdtar: "iso9660:!rockridge,!joliet",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image.iso")
			command := slices.Clone(tt.command)
			for i := range command {
				command[i] = strings.NewReplacer("IMAGE", path, "SOURCE", source).Replace(command[i])
			}
			run(t, command[0], command[1:]...)
			r := openImage(t, path)
			v := mustOpen(t, r, 0, tt.opt)
			if v.Tree() != tt.tree {
				t.Fatalf("tree = %v, want %v", v.Tree(), tt.tree)
			}
			got := paths(t, v)
			if len(got) < 130 {
				t.Errorf("only %d entries", len(got))
			}

			var isoinfo []string
			for line := range bytes.Lines(run(t, "isoinfo", append(tt.isoinfo, "-f", "-i", path)...)) {
				isoinfo = append(isoinfo, asShown(tt.tree, strings.TrimSuffix(string(line), "\n")))
			}
			if tt.tree == volume.Joliet { // isoinfo shows Latin-1
				diff(t, "isoinfo", onlyASCII(got), onlyASCII(isoinfo))
			} else {
				diff(t, "isoinfo", got, isoinfo)
			}

			if tt.sevenz {
				var sevenz []string
				for line := range bytes.Lines(run(t, "7z", "l", "-slt", "-ba", "-sccUTF-8", path)) {
					if name, ok := strings.CutPrefix(strings.TrimSuffix(string(line), "\n"), "Path = "); ok {
						sevenz = append(sevenz, "/"+name)
					}
				}
				// 7z shows names as Windows could hold them.
				withoutDot := slices.Clone(got)
				for i := range withoutDot {
					withoutDot[i] = strings.TrimSuffix(withoutDot[i], ".")
				}
				diff(t, "7z", withoutDot, sevenz)
			}

			extracted := t.TempDir()
			run(t, "bsdtar", "-x", "-f", path, "--options", tt.bsdtar, "-C", extracted)
			entries := walk(t, v)
			var bsdtar []string
			must(t, filepath.WalkDir(extracted, func(file string, d fs.DirEntry, err error) error {
				if err != nil || file == extracted {
					return err
				}
				name := asShown(tt.tree, strings.TrimPrefix(file, extracted))
				bsdtar = append(bsdtar, name)
				if d.Type().IsRegular() {
					data, err := os.ReadFile(file)
					must(t, err)
					e, ok := entries[name[1:]]
					if ok && !bytes.Equal(data, content(t, r, e)) {
						t.Errorf("%s: the content differs from what bsdtar extracts", name)
					}
				}
				return nil
			}))
			diff(t, "bsdtar", got, bsdtar)
		})
	}
}

func onlyASCII(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.ContainsFunc(name, func(r rune) bool { return r > '~' }) || strings.Contains(name, "___")
	})
}

// asShown turns what a tool says of the bare ISO tree into the form of Linux.
func asShown(tree volume.TreeKind, path string) string {
	if tree == volume.RockRidge {
		return path
	}
	path = strings.TrimSuffix(path, ";1")
	switch tree {
	case volume.Joliet:
		return path
	case volume.Enhanced:
		return strings.TrimSuffix(path, ".")
	}
	return strings.TrimSuffix(strings.ToLower(path), ".")
}
