package medium

import (
	"context"
	"errors"
	"fmt"

	"burnfs/mmc"
)

// maxInspection is how often a medium may change under an inspection.
const maxInspection = 3

// Inspect finds out what is in the drive. It waits until the drive is ready.
//
// Errors: one that is mmc.ErrNoMedium if the drive is empty; that of the command
// that failed otherwise. A medium that can only be read is no error: see
// Info.NotWritableReason.
func Inspect(ctx context.Context, d *mmc.Drive) (*Info, error) {
	for try := 1; ; try++ {
		if err := Ready(ctx, d, "loading the medium"); err != nil {
			return nil, err
		}
		i := &inspection{d: d, info: &Info{Changes: d.MediumChanges()}}
		err := i.run(ctx)
		if err == nil {
			return i.info, nil
		}
		if mmc.Advice(err) != mmc.Reload || try == maxInspection {
			return nil, fmt.Errorf("inspecting the medium: %w", err)
		}
	}
}

// Ready waits until the drive knows the medium. One that the drive cannot read
// because it is not formatted, or not in order, will do: that is for an inspection
// to find out, and formatting or blanking may help.
func Ready(ctx context.Context, d *mmc.Drive, why string) error {
	err := d.WaitReady(ctx, why, mmc.ReadyLimit)
	if noFormat(err) {
		return nil
	}
	return err
}

// noFormat reports whether a drive says that there is a medium, whose format it
// does not know or find.
func noFormat(err error) bool {
	se, ok := errors.AsType[*mmc.SenseError](err)
	if !ok || se.Deferred || se.Key != mmc.KeyNotReady && se.Key != mmc.KeyMediumError {
		return false
	}
	switch se.ASC {
	case 0x30, 0x31, 0x57: // incompatible medium, medium format corrupted, unable to recover TOC
		return true
	}
	return false
}

// inspection is one attempt to inspect a medium.
type inspection struct {
	d      *mmc.Drive
	info   *Info
	family family
	conf   mmc.Configuration
}

func (i *inspection) run(ctx context.Context) error {
	conf, err := i.d.GetConfiguration(ctx, mmc.AllFeatures, 0)
	if err != nil {
		return err
	}
	i.conf = conf
	i.info.Profile = conf.CurrentProfile()
	if i.info.Profile == mmc.ProfileNone {
		return errors.New("the drive is ready but does not recognise the medium in it; it may be of a kind the drive cannot handle, damaged or dirty")
	}
	i.family = familyOf(i.info.Profile)
	i.info.Kind, i.info.WriteUnit, i.info.MinTrack = i.family.kind, i.family.writeUnit, i.family.minTrack
	i.info.NotWritableReason = i.family.readOnly
	if i.info.Kind == Overwritable {
		return i.overwritable(ctx)
	}
	return i.sequential(ctx)
}

// cannotWrite returns the sentence for a drive that does not offer to write the
// medium, or cannot be told to, or nothing if it does.
func (i *inspection) cannotWrite() string {
	if reason := i.d.NotWritableReason(); reason != "" {
		return reason
	}
	for _, f := range i.family.needs {
		if i.conf.Current(f) && writes(i.conf.Feature(f)) {
			return ""
		}
	}
	return fmt.Sprintf("The drive does not write this %v now: the drive can only read such media, or the medium is write protected.", i.info.Profile)
}

// readable sets Capacity from READ CAPACITY, which drives refuse in various
// ways while there is nothing to read.
func (i *inspection) readable(ctx context.Context) error {
	c, err := i.d.ReadCapacity(ctx)
	switch {
	case err == nil:
		i.info.Capacity = c.Blocks()
		return nil
	case definite(err), i.info.Kind == Sequential && errors.Is(err, mmc.ErrMediumError):
		// Sessions are told by other commands; drives look for a lead-in here that
		// a blank medium does not have.
		return nil
	}
	return err
}

// definite reports whether a drive has answered a question in the negative, as
// opposed to being unable to hear or to answer it.
func definite(err error) bool {
	se, ok := errors.AsType[*mmc.SenseError](err)
	if !ok || se.Deferred {
		return false
	}
	return se.Key == mmc.KeyIllegalRequest || se.Key == mmc.KeyBlankCheck || noFormat(err)
}
