package soak

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
)

var (
	durationFlag = flag.Duration("soak.duration", 30*time.Second, "how `long` TestSoak works on each medium")
	mediaFlag    = flag.String("soak.media", "bd-r,cd-rw,iso", "the `media` that TestSoak works on, all at once")
	actorsFlag   = flag.Int("soak.actors", 4, "how many `actors` work on each")
)

func TestMain(m *testing.M) {
	flag.Parse()
	// What a failed run leaves is what it was made for.
	if err := flag.Set("keep", "true"); err != nil {
		panic(err)
	}
	// Modes are what operations say.
	unix.Umask(0)
	os.Exit(harness.Main(m))
}

// TestSoak lets actors work on discs while these are burned, killed and mounted
// again. In the end the discs hold what the mirrors hold.
func TestSoak(t *testing.T) {
	t.Parallel()
	for media := range strings.SplitSeq(*mediaFlag, ",") {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			seeds := harness.Rand(t)
			deadline := time.Now().Add(*durationFlag)
			var all Counts
			discs := 0
			// When a disc is full, there is another one.
			for ; time.Now().Before(deadline) && !t.Failed(); discs++ {
				seed := seeds.Uint64()
				t.Run("disc", func(t *testing.T) {
					l := harness.New(t)
					l.OwnVerdict = true
					s := start(l, media, *actorsFlag, seed)
					if s.Run(deadline) == nil {
						s.verdict()
					}
					if err := s.journal.close(); err != nil {
						t.Error(err)
					}
					t.Logf("%v", &s.counts)
					all.add(&s.counts)
				})
			}
			t.Logf("%s, %d discs: %v", media, discs, &all)
		})
	}
}
