package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Step is one report of the work.
type Step struct {
	Phase       string // planning, burning, closing, verifying; a new one begins a new bar
	Done, Total int64  // bytes; Total ≤ 0 means that the amount is not known
}

// Shower shows steps; Finish ends the last line. Not for concurrent use.
type Shower interface {
	Show(Step)
	// ShowPart shows the part of a phase that is done, from 0 to 1, where nobody
	// counts bytes.
	ShowPart(phase string, part float64)
	Finish()
}

// New chooses by what w is. A quiet Shower shows nothing.
func New(w io.Writer, quiet bool) Shower {
	if quiet {
		return nothing{}
	}
	if Terminal(w) {
		return &bar{w: w}
	}
	return &lines{w: w}
}

// Terminal tells whether w is one.
func Terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

type nothing struct{}

func (nothing) Show(Step)                {}
func (nothing) ShowPart(string, float64) {}
func (nothing) Finish()                  {}

// bar draws one progressbar per phase.
type bar struct {
	w     io.Writer
	phase string
	total int64
	b     *progressbar.ProgressBar
}

func (s *bar) Show(st Step) {
	if s.b == nil || st.Phase != s.phase || st.Total != s.total {
		s.Finish()
		s.phase, s.total = st.Phase, st.Total
		total := st.Total
		if total <= 0 {
			total = -1 // a spinner
		}
		s.b = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(s.w),
			progressbar.OptionSetDescription(fmt.Sprintf("%-9s", st.Phase)),
			progressbar.OptionShowBytes(true),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetRenderBlankState(true),
			progressbar.OptionSetPredictTime(true),
			// No goroutine of its own, which would draw after Finish.
			progressbar.OptionSetSpinnerChangeInterval(0),
		)
	}
	// A bar that cannot be drawn must not stop a burn.
	_ = s.b.Set64(st.Done)
}

// parts is the total of a bar that counts no bytes: tenths of a percent.
const parts = 1000

func (s *bar) ShowPart(phase string, part float64) {
	if s.b == nil || phase != s.phase || s.total != parts {
		s.Finish()
		s.phase, s.total = phase, parts
		s.b = progressbar.NewOptions64(parts,
			progressbar.OptionSetWriter(s.w),
			progressbar.OptionSetDescription(fmt.Sprintf("%-9s", phase)),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetRenderBlankState(true),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetSpinnerChangeInterval(0),
		)
	}
	_ = s.b.Set64(int64(clamp(part) * parts))
}

// clamp keeps what drives say within bounds.
func clamp(part float64) float64 { return max(0, min(part, 1)) }

func (s *bar) Finish() {
	if s.b == nil {
		return
	}
	_ = s.b.Exit()
	s.b = nil
	fmt.Fprintln(s.w)
}

// lines prints the beginning of each phase and every tenth of it.
type lines struct {
	w     io.Writer
	phase string
	tenth int64
}

func (s *lines) Show(st Step) {
	var tenth int64
	if st.Total > 0 {
		tenth = st.Done * 10 / st.Total
	}
	if st.Phase == s.phase && tenth <= s.tenth {
		return
	}
	s.phase, s.tenth = st.Phase, tenth
	switch {
	case st.Total > 0:
		fmt.Fprintf(s.w, "%s: %3d%% of %s\n", st.Phase, tenth*10, humanize.IBytes(uint64(st.Total)))
	case st.Done > 0:
		fmt.Fprintf(s.w, "%s: %s\n", st.Phase, humanize.IBytes(uint64(st.Done)))
	default:
		fmt.Fprintf(s.w, "%s\n", st.Phase)
	}
}

func (s *lines) ShowPart(phase string, part float64) {
	tenth := int64(clamp(part) * 10)
	if phase == s.phase && tenth <= s.tenth {
		return
	}
	s.phase, s.tenth = phase, tenth
	fmt.Fprintf(s.w, "%s: %3d%%\n", phase, tenth*10)
}

func (s *lines) Finish() { s.phase, s.tenth = "", 0 }
