package agree

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
	"burnfs/integration/manifest"
	"burnfs/integration/shelf"
	"burnfs/iso9660/volume"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// TestDiscs lets all judges read all discs.
func TestDiscs(t *testing.T) {
	dir := os.Getenv(ShelfEnv)
	if dir == "" {
		dir = t.TempDir()
	}
	Extremes(t, filepath.Join(dir, "extremes"))
	discs, err := Discs(dir, os.Getenv(shelf.AllEnv) != "")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(discs); n < ExtremeDiscs() || os.Getenv(ShelfEnv) != "" && n < 50 {
		t.Errorf("only %d discs are on the shelf", n)
	}
	var price bill
	t.Cleanup(func() { t.Log(price.String()) })
	for _, disc := range discs {
		name, err := filepath.Rel(dir, disc)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judgeDisc(t, disc, &price)
		})
	}
}

// tooMany names in a tree: the programs would take minutes for it. The largest tree
// that users would have, ten thousand files, is not among them.
const tooMany = 15000

// judgeDisc lets the judges read one disc and records what they agree on.
func judgeDisc(t *testing.T, file string, price *bill) {
	began := time.Now()
	sessions, err := Sessions(t.Context(), file)
	price.add("our reader", began)
	if err != nil {
		t.Fatal(err)
	}
	disc := judge.Open(t, file)
	for _, s := range sessions {
		if len(s.Tree) > tooMany {
			continue
		}
		view := disc.Session(s.Start)
		if s.Direct {
			view = disc.Newest(s.Start)
		}
		view.Older, view.Foreign = s.Older, !s.Ours
		s.judge(t, view, price)
	}
	if len(sessions) > 0 && !t.Failed() {
		if err := Record(file, sessions); err != nil {
			t.Fatal(err)
		}
	}
}

// largest is how many bytes all judges read of a session.
const largest = 1 << 30

// judges are those that can say something of the session.
func (s *Session) judges() []judge.Judge {
	var list []judge.Judge
	if s.Kind == volume.RockRidge {
		xorriso := judge.XorrisoWith(s.Ours, attributesFit(s.Tree))
		if !s.Ours {
			xorriso.Aspects &^= manifest.Nlink // which others may record as they like
		}
		list = append(list, xorriso, judge.IsoinfoRockRidge, judge.Bsdtar, judge.IsoInfoRockRidge)
	}
	if s.Tree.Bytes() > largest {
		// One that reads files of several sections must do.
		return []judge.Judge{judge.SevenZip}
	}
	if s.Joliet {
		list = append(list, judge.IsoinfoJoliet, judge.SevenZip, judge.IsoInfoJoliet)
	}
	if s.ZF > 1 || s.Scattered {
		// libarchive knows version 1 of compressed files, and does not go back on the disc.
		list = slices.DeleteFunc(list, func(j judge.Judge) bool { return j.Name == judge.Bsdtar.Name })
	}
	return slices.DeleteFunc(list, func(j judge.Judge) bool { return j.Cannot != nil && j.Cannot(s.Tree) != "" })
}

// attributesFit tells whether a file system can take all attributes of a tree. Tests
// below the mount set some that the kernel would not.
func attributesFit(tree manifest.Tree) bool {
	for _, e := range tree {
		room := 0
		for name, value := range e.Xattrs {
			if !strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, "system.posix_acl_") || e.Kind != manifest.File && e.Kind != manifest.Dir {
				return false
			}
			room += len(name) + len(value)
		}
		if room > 2000 { // of a block of ext4
			return false
		}
	}
	return true
}

func (s *Session) judge(t *testing.T, v judge.View, price *bill) {
	t.Helper()
	type reading struct {
		judge.Judge
		tree manifest.Tree
	}
	var readings []reading
	for _, j := range s.judges() {
		began := time.Now()
		got := j.Read(v)
		price.add(j.Name, began)
		if got == nil {
			continue // it says why it cannot, and package judge lets it
		}
		if !s.Ours && j.Name == judge.SevenZip.Name {
			j.Aspects &^= manifest.MtimeSeconds // Joliet has its own, for directories that the program made
		}
		if !s.Linked {
			j.Aspects &^= manifest.Names | manifest.Nlink
		}
		readings = append(readings, reading{j, got})
	}
	for _, r := range readings {
		r.Judge.Read = func(judge.View) manifest.Tree { return r.tree }
		want := s.Tree
		if s.Recorded != nil && r.Name != judge.Bsdtar.Name && !strings.HasPrefix(r.Name, judge.Xorriso.Name) {
			want = s.Recorded // neither isoinfo nor 7z nor libcdio 2.1.0 decodes files
		}
		v.Compare(want, r.Judge)
	}
	// The first of them reads most.
	for _, r := range readings[min(1, len(readings)):] {
		if s.Recorded != nil && r.Name != judge.Bsdtar.Name {
			continue // reads compressed files as they are recorded
		}
		if d := between(readings[0].tree, r.tree, readings[0].Aspects&r.Aspects); d != "" {
			t.Errorf("%s and %s read the session at block %d of %s differently:\n%s", readings[0].Name, r.Name, v.Start, v.File, d)
		}
	}
	if judge.CannotVerify(s.Tree) == "" {
		began := time.Now()
		v.Isovfy()
		price.add("isovfy", began)
	}
	if s.Ours {
		began := time.Now()
		v.Check()
		price.add("our checker", began)
	}
}

// between compares what two programs show under the same name: what is in it and when
// that was changed. Nothing is expected, nothing is let pass.
func between(a, b manifest.Tree, aspects manifest.Aspect) string {
	want, got := make(manifest.Tree), make(manifest.Tree)
	for name, e := range a {
		// Of "x." and "x.." some take a period away.
		if other := b[name]; other != nil && e.Kind == other.Kind && e.Kind != manifest.Symlink && !strings.HasSuffix(name, ".") {
			want[name], got[name] = e, other
		}
	}
	return manifest.Diff(want, got, aspects&(manifest.Size|manifest.Content|manifest.MtimeSeconds))
}

// bill is what each judge took, in wall-clock time.
type bill struct {
	mu    sync.Mutex
	took  map[string]time.Duration
	times map[string]int
}

func (b *bill) add(name string, began time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.took == nil {
		b.took, b.times = make(map[string]time.Duration), make(map[string]int)
	}
	b.took[name] += time.Since(began)
	b.times[name]++
}

func (b *bill) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s strings.Builder
	for _, name := range slices.Sorted(maps.Keys(b.took)) {
		n := b.times[name]
		s.WriteString(strings.Join([]string{"", name, b.took[name].Round(time.Millisecond).String(), (b.took[name] / time.Duration(n)).Round(time.Millisecond).String() + " each"}, "\t") + "\n")
	}
	return "what the judges took:\n" + s.String()
}
