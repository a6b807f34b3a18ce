package integration

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
)

var killsFlag = flag.Int("kills", 4, "how often TestKillAtRandomMoments kills on each medium")

// TestKillAtRandomMoments kills the daemon with SIGKILL at any moment of a commit,
// of sync and of umount, and now and then again while it brings the interrupted
// burn to its end. After each of them the next mount shows everything, the next
// unmount records it, and xorriso reads it.
func TestKillAtRandomMoments(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"bd-r", "dvd+r", "cd-rw", "bd-re", "iso"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			rng := harness.Rand(t)
			d, model := l.Disc(media), l.Model()
			point := l.Mkdir("mnt", 0o755)
			const speed = "speed=9000" // kB/s: two megabytes take a while
			m := d.MountAt(point, speed)
			model.Both(m, func(root string) { harness.GoSource(l, "container", filepath.Join(root, "container")) })
			model.Compare(m)
			model.Keep()
			began := time.Now()
			m.Burn()
			typical := time.Since(began)
			killed, again, late := 0, 0, 0
			kills := *killsFlag
			if strings.HasPrefix(media, "cd-") {
				kills = min(kills, 20) // each may cost two sessions, of 16 MB at least
			}
			for k := range kills {
				m := d.MountAt(point, speed)
				data := harness.Noise(rng, 1+rng.IntN(3<<20))
				name := fmt.Sprintf("file-%d", rng.IntN(6))
				model.Both(m, func(root string) {
					must(t, os.WriteFile(filepath.Join(root, name), data, 0o644))
					must(t, os.Chmod(filepath.Join(root, "container"), 0o700+os.FileMode(k%64)))
					must(t, os.RemoveAll(filepath.Join(root, fmt.Sprintf("container/moved-%d", k-1))))
					must(t, os.Mkdir(filepath.Join(root, fmt.Sprintf("container/moved-%d", k)), 0o755))
				})
				harness.Run(l, "sync", m.Path(name))
				model.Compare(m)
				what := []string{"sync", "umount"}[rng.IntN(2)]
				ended := make(chan harness.Result, 1)
				began := time.Now()
				go func() { ended <- l.Burnfs(what, point) }()
				// The moment of the kill is the random choice that is tested.
				time.Sleep(time.Duration(rng.Float64() * 1.1 * float64(typical)))
				m.TryKill()
				if r := <-ended; r.Code == 0 {
					late++
					typical = (typical + time.Since(began)) / 2
				}
				killed++
				t.Logf("kill %d, %v after %s was asked for; the log ends with:\n%s", k, time.Since(began).Round(time.Millisecond), what, lastLines(m.LogText(), 2))
				if rng.IntN(3) == 0 {
					m := d.MountAt(point, speed)
					time.Sleep(time.Duration(rng.Float64() * float64(typical))) // so is this one, in the resume
					m.TryKill()
					again++
				}
				m = d.MountAt(point)
				model.Compare(m)
				model.Keep()
				m.Unmount()
				view := judge.Open(l, d.Path).Session(d.Last().Start)
				if harness.Overwritable(media) {
					view.Direct = true
				}
				view.Compare(model.Sessions[k+1], judge.Xorriso)
				view.CheckFiles()
			}
			t.Logf("%d kills, %d of them after the commit, %d more while it was taken up again", killed, late, again)
			compareFirstSession(l, d, model)
			if r := l.Burnfs("fsck-staging", "--statedir="+l.State); r.Code != 0 {
				t.Error(r)
			}
			if r := l.Burnfs("verify", d.Path); r.Code != 0 && !strings.HasPrefix(media, "cd-") {
				t.Error(r)
			}
		})
	}
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
