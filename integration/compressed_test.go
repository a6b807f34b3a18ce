package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
	"burnfs/integration/manifest"
)

// TestCompressed: discs with files that xorriso and mkzftree compressed show them
// uncompressed, and changes are made as on any other file. What was not changed is still
// compressed in our session, for xorriso and bsdtar to decode.
func TestCompressed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		make  string // makes $1 of the directory $2
		older []judge.Judge
	}{
		{"xorriso", `xorriso -md5 on -outdev $1 -map $2 / -find / -type f -exec set_filter --zisofs -- -commit 2>&1`, []judge.Judge{judge.Bsdtar, judge.Xorriso}},
		{"xorriso version 2", `xorriso -outdev $1 -zisofs version_2=on:block_size_v2=256k -map $2 / -find / -type f -exec set_filter --zisofs -- -commit 2>&1`, []judge.Judge{judge.Xorriso}},
		{"genisoimage", `mkzftree $2 $2.packed; genisoimage -quiet -z -R -o $1 $2.packed`, []judge.Judge{judge.Bsdtar, judge.Xorriso}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			model := l.Mkdir("model", 0o755)
			text := func(n int) []byte {
				var b bytes.Buffer
				for i := 0; b.Len() < n; i++ {
					fmt.Fprintf(&b, "line %d of the text\n", i)
				}
				return b.Bytes()[:n]
			}
			for name, data := range map[string][]byte{
				"text": text(700_000), "holes": append(text(50_000), append(make([]byte, 1<<20), text(70_000)...)...),
				"changed": text(300_000), "cut": text(200_000), "longer": text(100_000), "empty": nil, "noise": harness.Noise(harness.Rand(t), 90_000),
			} {
				if err := os.WriteFile(filepath.Join(model, name), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			iso := l.Path("disc.iso")
			harness.Shell(l, row.make, iso, model)
			d := l.Adopt(harness.PlainISO, iso)
			same := func(m *harness.Mount, when string) {
				t.Helper()
				diff := manifest.Diff(files(manifest.MustRead(l, model)), files(manifest.MustRead(l, m.Point)), manifest.Size|manifest.Content|manifest.Perm)
				if diff != "" {
					t.Fatalf("%s:\n%s", when, diff)
				}
			}
			m := d.Mount()
			same(m, "as it was recorded")
			for _, root := range []string{m.Point, model} {
				harness.Shell(l, `cd $1
					printf middle | dd of=changed bs=1 seek=150000 conv=notrunc status=none
					truncate -s 33333 cut
					printf more >>longer
					mv text renamed
					chmod 600 holes`, root)
			}
			same(m, "changed")
			m.Burn()
			m = d.Mount()
			same(m, "in the new session")
			m.Unmount()
			l.MustBurnfs("verify", d.Path)
			l.MustBurnfs("check", d.Path)
			want := files(manifest.MustRead(l, model))
			for _, j := range row.older {
				if diff := manifest.Diff(want, files(j.Read(judge.Open(l, d.Path).Newest(0))), j.Aspects&(manifest.Size|manifest.Content|manifest.Perm)); diff != "" {
					t.Errorf("%s reads our session wrongly:\n%s", j.Name, diff)
				}
			}
		})
	}
}

// files leaves out the root.
func files(t manifest.Tree) manifest.Tree {
	return t.Select(func(name string, _ *manifest.Entry) bool { return name != "." })
}
