package medium

import (
	"context"
	"encoding/binary"
	"testing"

	"burnfs/mmc"
)

// drive answers what inspection asks, with replies that a test writes down. What
// is not written down it refuses.
type drive struct {
	ready    []error // answers to TEST UNIT READY, then success
	conf     mmc.Configuration
	di       mmc.DiscInformation
	tracks   map[uint32]mmc.TrackInformation
	capacity mmc.Capacity
	formats  mmc.FormatCapacities
	toc      mmc.TOC
	multi    mmc.TOC
	full     mmc.FullTOC
	// before is called with each command; an error is its answer.
	before func(cmd *mmc.Command) error
}

func (d *drive) Execute(ctx context.Context, cmd *mmc.Command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cmd.Resid = len(cmd.Data)
	if d.before != nil {
		if err := d.before(cmd); err != nil {
			return err
		}
	}
	answer := func(b []byte) error {
		if b == nil {
			return refused(cmd, mmc.KeyIllegalRequest, 0x24, 0)
		}
		cmd.Resid -= copy(cmd.Data, b)
		return nil
	}
	switch cmd.Opcode() {
	case mmc.OpTestUnitReady:
		if len(d.ready) > 0 {
			err := d.ready[0]
			d.ready = d.ready[1:]
			return err
		}
		return nil
	case mmc.OpGetConfiguration:
		return answer(d.conf)
	case mmc.OpReadDiscInformation:
		return answer(d.di)
	case mmc.OpReadTrackInformation:
		return answer(d.tracks[binary.BigEndian.Uint32(cmd.CDB[2:])])
	case mmc.OpReadCapacity:
		return answer(d.capacity)
	case mmc.OpReadFormatCapacities:
		return answer(d.formats)
	case mmc.OpReadTOC:
		switch cmd.CDB[2] {
		case byte(mmc.TOCMultisess):
			return answer(d.multi)
		case byte(mmc.TOCFull):
			return answer(d.full)
		}
		return answer(d.toc)
	}
	return refused(cmd, mmc.KeyIllegalRequest, 0x20, 0)
}

func (d *drive) Close() error { return nil }

func refused(cmd *mmc.Command, key mmc.SenseKey, asc, ascq uint8) error {
	return mmc.NewSenseError(cmd.CDB, mmc.NewSense(key, asc, ascq))
}

func conf(p mmc.Profile, current ...mmc.FeatureCode) mmc.Configuration {
	fs := []mmc.Feature{mmc.NewProfileList(p, p)}
	for _, c := range current {
		fs = append(fs, mmc.NewFeature(c, 0, false, true))
	}
	return mmc.NewConfiguration(p, fs...)
}

func discInfo(status mmc.DiscStatus, last mmc.SessionState, sessions, firstTrack, lastTrack int) mmc.DiscInformation {
	d := mmc.NewDiscInformation()
	d.SetStatus(status)
	d.SetStateOfLastSession(last)
	d.SetFirstTrack(1)
	d.SetSessions(sessions)
	d.SetFirstTrackInLastSession(firstTrack)
	d.SetLastTrackInLastSession(lastTrack)
	return d
}

// closed is a recorded and closed data track.
func closed(session, track int, start, size uint32) mmc.TrackInformation {
	t := mmc.NewTrackInformation()
	t.SetSession(session)
	t.SetTrack(track)
	t.SetTrackMode(mmc.ControlData)
	t.SetDataMode(1)
	t.SetStart(start)
	t.SetSize(size)
	return t
}

// empty is the track where the next session would begin.
func empty(session, track int, start, free uint32) mmc.TrackInformation {
	t := closed(session, track, start, free)
	t.SetBlank(true)
	t.SetNWA(start)
	t.SetFreeBlocks(free)
	return t
}

// open is a track that was not closed.
func open(session, track int, start, nwa, free uint32) mmc.TrackInformation {
	t := closed(session, track, start, nwa-start+free)
	t.SetNWA(nwa)
	t.SetFreeBlocks(free)
	return t
}

func with[T any](t T, change func(T)) T {
	change(t)
	return t
}

func inspectDrive(t *testing.T, d *drive) (*Info, error) {
	t.Helper()
	return Inspect(t.Context(), mmc.NewDrive(d, nil))
}
