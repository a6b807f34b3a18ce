package discs

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
)

// Fault makes one drive follow a fault plan.
type Fault struct {
	name  string
	plan  *faulty.Plan
	drive atomic.Pointer[faulty.Transport] // set by wrap
}

// ReadFault reads the fault plan in a file.
func ReadFault(name string) (*Fault, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, failure.New(exitcode.Usage, err, "the fault plan "+name+" cannot be read", "Nothing was touched.", "Check the name and its permissions.")
	}
	defer f.Close() // only read
	plan, err := faulty.ParsePlan(f)
	var syntax *faulty.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, failure.New(exitcode.Usage, nil, fmt.Sprintf("%s: %v", name, syntax), "Nothing was touched.", "burnfs-fault(5) describes fault plans.")
	case err != nil:
		return nil, failure.New(exitcode.Usage, err, "the fault plan "+name+" cannot be read", "Nothing was touched.", "")
	}
	return &Fault{name: name, plan: plan}, nil
}

// Injected returns how many faults have happened.
func (f *Fault) Injected() int {
	if f == nil {
		return 0
	}
	if t := f.drive.Load(); t != nil {
		return t.Injected()
	}
	return 0
}

// Warning is a sentence for who mounts or burns with the plan.
func (f *Fault) Warning() string {
	s := "things will go wrong on purpose, as " + f.name + " says"
	if seed, ok := f.plan.Seed(); ok {
		s += fmt.Sprintf("; the same happens again with the line: seed %d", seed)
	}
	return s
}

// options prepares an emulated drive for the plan.
func (f *Fault) options(opt emu.Options) emu.Options {
	if f != nil {
		opt.Timing, opt.LosesPower = f.plan.Timing(), f.plan.CutsPower()
	}
	return opt
}

// wrap makes the drive follow the plan.
func (f *Fault) wrap(t mmc.Transport, log *slog.Logger) mmc.Transport {
	if f == nil {
		return t
	}
	if log != nil {
		log.Info("this drive follows a fault plan", "plan", f.plan)
	}
	w := f.plan.Wrap(t, log)
	f.drive.Store(w)
	return w
}

// Check refuses real drives: a fault plan is for discs that can be thrown away.
func (f *Fault) Check(name string) error {
	st, err := os.Stat(name)
	if f == nil || err != nil || st.Mode()&(fs.ModeDevice|fs.ModeCharDevice) == 0 {
		return nil
	}
	return failure.New(exitcode.Usage, nil, name+" is a real drive, and --fault is for emulated discs and ISO files only", "Nothing was touched.",
		"Try it with a disc made by 'burnfs create'.")
}
