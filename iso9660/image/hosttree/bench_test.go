package hosttree_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"burnfs/iso9660/image"
	"burnfs/iso9660/image/hosttree"
	"burnfs/iso9660/image/internal/judge"
)

// BenchmarkGenisoimage makes images of 100,000 small files, by turns with
// genisoimage -R -J, which takes no checksums, and with this module, which does.
// The metric ratio is our time by theirs.
func BenchmarkGenisoimage(b *testing.B) {
	const dirs, files = 1000, 100
	host := b.TempDir()
	for d := range dirs {
		dir := filepath.Join(host, fmt.Sprintf("d%02d", d%32), fmt.Sprintf("d%04d", d))
		must(b, os.MkdirAll(dir, 0o755))
		for f := range files {
			content := make([]byte, (d*files+f)%3000)
			must(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("file number %06d.txt", d*files+f)), content, 0o644))
		}
	}
	var ours, theirs time.Duration
	for b.Loop() {
		begin := time.Now()
		judge.Run(b, "genisoimage", "-quiet", "-R", "-J", "-o", os.DevNull, host)
		theirs += time.Since(begin)
		begin = time.Now()
		makeImage(b, host)
		ours += time.Since(begin)
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "ratio")
	b.ReportMetric(float64(b.N)*dirs*files/ours.Seconds(), "files/s")
}

func makeImage(b *testing.B, host string) {
	tree, err := scan(b, hosttree.Options{Xattrs: true}, false, host)
	must(b, err)
	l, err := image.Plan(b.Context(), tree, image.Options{RockRidge: true, Joliet: true, Checksums: true, Now: now})
	must(b, err)
	out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	must(b, err)
	must(b, l.Write(b.Context(), out, tree.Open))
	must(b, out.Close())
}
