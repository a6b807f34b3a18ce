package bench

import (
	"os"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// Each round begins with the same disc: the Go source, or a part of it, in one
// session.
func disc(b *testing.B, part string) (*harness.Lab, *harness.Disc) {
	b.Helper()
	l := harness.New(b)
	d := l.Disc("bd-re")
	m := d.Mount()
	harness.GoSource(b, part, m.Path("src"))
	m.Burn()
	return l, d
}

func BenchmarkCopyIn(b *testing.B) {
	src := harness.New(b).Path("src")
	harness.GoSource(b, ".", src)
	bytes := manifest.MustRead(b, src).Bytes()
	b.SetBytes(bytes)
	for b.Loop() {
		b.StopTimer()
		l := harness.New(b)
		m := l.Disc("bd-re").Mount()
		b.StartTimer()
		harness.Run(b, "cp", "-a", src, m.Path("src"))
		b.StopTimer()
		m.Burn()
		b.StartTimer()
	}
}

func BenchmarkBurn(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		l := harness.New(b)
		m := l.Disc("bd-re").Mount()
		harness.GoSource(b, ".", m.Path("src"))
		b.StartTimer()
		m.Burn()
	}
}

func BenchmarkMount(b *testing.B) {
	_, d := disc(b, ".")
	for b.Loop() {
		m := d.Mount()
		b.StopTimer()
		m.Unmount()
		b.StartTimer()
	}
}

func BenchmarkFind(b *testing.B) {
	l, d := disc(b, ".")
	for b.Loop() {
		b.StopTimer()
		m := d.Mount("ro")
		b.StartTimer()
		harness.Run(l, "find", m.Point, "-newer", m.Point)
		b.StopTimer()
		m.Unmount()
		b.StartTimer()
	}
}

func BenchmarkReadAll(b *testing.B) {
	l, d := disc(b, ".")
	for b.Loop() {
		b.StopTimer()
		m := d.Mount("ro")
		b.StartTimer()
		harness.Shell(l, `tar cf - -C "$1" . | cat >/dev/null`, m.Point)
		b.StopTimer()
		m.Unmount()
		b.StartTimer()
	}
}

// BenchmarkSmallChange is a session that records one new file and the whole tree.
func BenchmarkSmallChange(b *testing.B) {
	l, d := disc(b, ".")
	for b.Loop() {
		b.StopTimer()
		m := d.Mount()
		harness.Shell(l, `date >"$1/changed"`, m.Point)
		b.StartTimer()
		m.Burn()
	}
}
