package session

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/recorder"
)

// mortal is a drive that loses power before its nth command.
type mortal struct {
	mmc.Transport
	left int
}

var errPower = errors.New("injected: the drive lost power")

func (m *mortal) Execute(ctx context.Context, c *mmc.Command) error {
	if m.left--; m.left < 0 {
		return errPower
	}
	return m.Transport.Execute(ctx, c)
}

// TestCommitCutAtEveryCommand lets the drive die before every single command
// of a commit. Afterwards the disc has its first session, the next mount shows
// every change, and the next commit burns them.
func TestCommitCutAtEveryCommand(t *testing.T) {
	for _, m := range []struct {
		media emu.Media
		mode  recorder.Mode
	}{
		{media: "bd-r"},
		{media: "cd-r"},
		{"cd-r", recorder.ModeSAO},
		{media: "dvd-r"},
		{media: "dvd-rw"},
		{media: "dvd-rw-overwrite"},
		{media: growing},
		{media: "dvd+r"},
		{media: "dvd+r-dl"},
		{media: "bd-re"},
		{media: ""},
	} {
		t.Run(fmt.Sprintf("media=%s mode=%v", m.media, m.mode), func(t *testing.T) {
			t.Parallel()
			seed := newRig(t, m.media)
			seed.opt.Mode = m.mode
			seed.open()
			seed.mkdir("a")
			seed.put("a/old", make([]byte, 100_000))
			seed.put("a/kept", []byte("kept"))
			seed.remount()
			first := seed.manifest()
			seed.put("a/new", []byte("new data"))
			seed.put("a/old", []byte("shorter now"))
			if err := seed.disc.Tree().Rename(seed.ctx, seed.dir("a"), "kept", seed.dir(""), "moved"); err != nil {
				t.Fatal(err)
			}
			second := seed.manifest()
			seed.close()

			cuts := 0
			for n := 0; ; n++ {
				r, remove := seed.clone()
				e, err := emu.Open(r.path, emu.Options{})
				if err != nil {
					t.Fatal(err)
				}
				drive := &mortal{Transport: e, left: 1 << 30}
				if r.disc, err = Open(r.ctx, mmc.NewDrive(drive, r.opt.Log), r.opt); err != nil {
					t.Fatal(err)
				}
				drive.left = n
				_, err = r.disc.Commit(r.ctx, "cut", nil)
				if err == nil && drive.left >= 0 {
					r.close()
					break
				}
				if err != nil {
					cuts++
					if !errors.Is(err, errPower) && !errors.Is(err, ErrVerify) {
						t.Errorf("cut before command %d: the error does not tell of the power: %v", n, err)
					}
				}
				drive.left = 1 << 30 // the power is back
				r.same(fmt.Sprintf("cut before command %d, still mounted", n), second)
				r.close()

				r.open()
				r.same(fmt.Sprintf("cut before command %d, mounted again", n), second)
				r.commit()
				r.same(fmt.Sprintf("cut before command %d, committed", n), second)
				if p := r.disc.Tree().Pending(); !p.Empty() {
					t.Errorf("cut before command %d: %+v pending after the commit", n, p)
				}
				r.close()
				r.open()
				r.same(fmt.Sprintf("cut before command %d, committed and mounted again", n), second)
				r.close()
				r.opt.Session = 1
				r.open()
				r.same(fmt.Sprintf("cut before command %d, first session", n), first)
				r.close()
				if t.Failed() {
					t.FailNow()
				}
				remove()
			}
			if cuts < 10 {
				t.Errorf("only %d commands were cut: the fault is not where the commit is", cuts)
			}
			t.Logf("%d cuts", cuts)
		})
	}
}
