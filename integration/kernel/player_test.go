//go:build linux && kernel

package kernel

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"burnfs/integration/guest"
	"burnfs/integration/harness"
	"burnfs/mmc"
	"burnfs/mmc/emu"
)

// burnTime bounds what includes a burn: seconds, when nothing else runs.
const burnTime = 10 * time.Minute

// play gives the guest a drive with a blank disc. If the test fails, what the
// drive was told is in its log. wrap, if not nil, comes between drive and guest.
func (r *room) play(media emu.Media, wrap func(mmc.Transport) mmc.Transport) *guest.Player {
	r.Helper()
	return r.playNew(media, emu.CreateOptions{}, wrap)
}

// playNew does the same with a disc that is special.
func (r *room) playNew(media emu.Media, opt emu.CreateOptions, wrap func(mmc.Transport) mmc.Transport) *guest.Player {
	r.Helper()
	file := r.dir + "/disc"
	if err := emu.Create(file, media, opt); err != nil {
		r.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testWriter{r}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	drive, err := emu.Open(file, emu.Options{Log: log})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		if err := drive.Close(); err != nil {
			r.Errorf("the drive: %v", err)
		}
		if !r.Failed() {
			harness.CheckDisc(r, file)
		}
	})
	var unit mmc.Transport = drive
	if wrap != nil {
		unit = wrap(unit)
	}
	p, err := r.Play(r.Context(), unit, log)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		if r.Failed() {
			r.Logf("the drive was told:\n%s", p.Trace)
		}
		if err := p.Close(context.Background()); err != nil {
			r.Error(err)
		}
	})
	return p
}

// reprobe makes the guest's kernel look at the disc anew.
func (r *room) reprobe(p *guest.Player) {
	r.Helper()
	if err := p.Reprobe(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// testWriter passes lines on to a test's log.
type testWriter struct{ testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.Log(string(p))
	return len(p), nil
}

// sessions lists what burnfs in the guest finds on a disc.
func (r *room) sessions(device string) []harness.Session {
	r.Helper()
	var list []harness.Session
	out := r.sh(quick, harness.Binary(r)+" sessions --json "+device)
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		r.Fatalf("%v\n%s", err, out)
	}
	return list
}
