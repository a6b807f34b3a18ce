package integration

import (
	"bufio"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
	"burnfs/integration/manifest"
)

const blockSize = 2048

// treeBlocks is more than what records and padding of the small trees of these
// tests take; file data would be many times as much.
const treeBlocks = 256

// TestUnchangedFilesStayWhereTheyAre: files that a session does not change keep
// their block addresses, and the session holds the tree and what is new.
func TestUnchangedFilesStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	for _, media := range harness.Media {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			d := l.Disc(media)
			m := d.Mount()
			harness.GoSource(l, "encoding", m.Path("tree"))
			m.Burn()
			first := d.Last()
			before := judge.IsoinfoRockRidge.Read(judge.Open(l, d.Path).Session(first.Start))

			m = d.Mount()
			added := harness.Noise(harness.Rand(t), 2<<20)
			if err := os.WriteFile(m.Path("added"), added, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(m.Path("tree"), m.Path("renamed")); err != nil {
				t.Fatal(err)
			}
			harness.Run(l, "chmod", "-R", "go-rwx", m.Path("renamed"))
			m.Burn()
			second := d.Last()
			after := judge.IsoinfoRockRidge.Read(judge.Open(l, d.Path).Session(second.Start))

			compared := 0
			for name, e := range before {
				rel, err := filepath.Rel("tree", name)
				if err != nil || e.Kind != manifest.File || e.Size == 0 {
					continue
				}
				compared++
				switch now := after[filepath.Join("renamed", rel)]; {
				case now == nil:
					t.Errorf("%q is lost", name)
				case now.LBA != e.LBA:
					t.Errorf("%q lay at block %d and lies at %d now", name, e.LBA, now.LBA)
				}
			}
			if compared < 100 {
				t.Errorf("only %d files were compared", compared)
			}
			most := uint32(len(added)/blockSize + treeBlocks)
			if second.Blocks > most || second.Blocks < uint32(len(added)/blockSize) {
				t.Errorf("the second session has %d blocks; %d of new data and at most %d for the rest were expected",
					second.Blocks, len(added)/blockSize, treeBlocks)
			}
		})
	}
}

// TestMetadataOfALargeFileBurnsNoData renames, chmods and touches a file of 1 GiB,
// and appends one byte to it. None of that burns it again.
func TestMetadataOfALargeFileBurnsNoData(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-r")
	m := d.Mount()
	const size = 1 << 30
	writeNumbers(t, m.Path("large"), size)
	sum := harness.Run(l, "md5sum", "-b", m.Path("large"))[:32]
	m.Burn()
	if s := d.Last(); s.Blocks < size/blockSize {
		t.Fatalf("a session with 1 GiB of data has only %d blocks", s.Blocks)
	}
	steps := []struct {
		reason string
		args   []string
	}{
		{"a new name", []string{"mv", "large", "renamed"}},
		{"another mode", []string{"chmod", "0400", "renamed"}},
		{"another time", []string{"touch", "-d", "2001-02-03 04:05:06", "renamed"}},
		{"a second name", []string{"ln", "renamed", "linked"}},
		{"an attribute", []string{"setfattr", "-n", "user.comment", "-v", "large", "renamed"}},
		{"one more byte", []string{"sh", "-c", "printf x >> renamed"}},
	}
	for i, s := range steps {
		m := d.Mount()
		harness.Shell(l, `cd "$1"; shift; exec "$@"`, append([]string{m.Point}, s.args...)...)
		m.Burn()
		if last := d.Last(); last.Number != i+2 || last.Blocks > treeBlocks {
			t.Errorf("%s: session %d with %d blocks", s.reason, last.Number, last.Blocks)
		}
	}
	m = d.Mount("ro")
	got := harness.Shell(l, `head -c 1073741824 "$1" | md5sum -b`, m.Path("linked"))[:32]
	if got != sum {
		t.Errorf("the file's first GiB has the MD5 sum %s, should have %s", got, sum)
	}
	if st, err := os.Stat(m.Path("linked")); err != nil || st.Size() != size+1 {
		t.Errorf("the file has %v bytes, %v; should have %d", st, err, size+1)
	}
	m.Unmount()
	v := judge.Open(l, d.Path).Session(d.Last().Start)
	if e := judge.Xorriso.Read(v)["linked"]; e == nil || e.Size != size+1 {
		t.Errorf("xorriso sees %+v", e)
	}
}

// writeNumbers fills a file with data that is nowhere zero for long and nowhere
// the same.
func writeNumbers(t *testing.T, name string, size int64) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var p [4096]byte
	for n := int64(0); n < size; n += int64(len(p)) {
		for i := 0; i < len(p); i += 8 {
			binary.LittleEndian.PutUint64(p[i:], uint64(n+int64(i))*0x9e3779b97f4a7c15+1)
		}
		if _, err := w.Write(p[:]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
