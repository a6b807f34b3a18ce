package recorder

import (
	"context"
	"errors"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// cd records a CD-R or CD-RW track at once (TAO):
//
//	MODE SELECT 05h: write type TAO, multi-session 11b, data blocks of 2048 bytes
//	SEND OPC INFORMATION
//	WRITE(10) … from the NWA on
//	SYNCHRONIZE CACHE, which ends the track
//	CLOSE TRACK/SESSION 010b; multi-session 00b before it closes the disc
//
// CLOSE TRACK (001b) is left out unless the drive insists on it: some drives
// answer it with errors, because the track is closed already.
//
// A block is one of mode 1, or of CD-ROM XA mode 2 form 1, of which the drive makes
// the sub-header.
type cd struct{ xa bool }

const (
	cdChunk = 16 // 32 KiB
	// cdTail is what follows the data of a track: readers that read ahead must
	// not stumble over the two run-out blocks that end a TAO track (two seconds,
	// as mkisofs -pad).
	cdTail = 150
	// cdAudioPause is the length MMC demands in the page, even for data tracks
	// (MMC-5 7.5.4).
	cdAudioPause = 150
)

func newCD(info *medium.Info, opt Options) (rules, error) {
	c := cd{xa: opt.XA}
	number := 1
	for _, s := range info.Sessions {
		for _, t := range s.Tracks {
			number = t.Number + 1
			if !t.Audio {
				c.xa = t.XA
			}
		}
	}
	switch opt.Mode {
	case ModeDefault, ModeTAO:
		return c, nil
	case ModeSAO:
		return cdAtOnce{c, number}, nil
	}
	return nil, wrongMode(info.Profile, opt.Mode, ModeTAO, ModeSAO)
}

func (cd) chunk() uint32         { return cdChunk }
func (cd) tail() uint32          { return cdTail }
func (cd) resumable() bool       { return false }
func (cd) closeTrackFirst() bool { return false }

func (c cd) begin(ctx context.Context, r *sequential) error {
	if err := c.selectParameters(ctx, r.d, mmc.WriteTAO, mmc.MultiSessionNext); err != nil {
		return err
	}
	return r.calibrate(ctx)
}

// calibrate lets the drive find the power of its laser. It would do that before
// its first WRITE anyway, and some drives refuse to be asked, for all sorts of
// reasons; only a medium on which calibration failed is not written.
func (s *session) calibrate(ctx context.Context) error {
	err := insist.Repeat(ctx, func() error { return s.d.SendOPC(ctx) })
	if saysNo(err) && !errors.Is(err, mmc.ErrPowerCalibration) {
		s.opt.Log.Info("the drive calibrates its laser by itself", "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	return s.d.WaitReady(ctx, "power calibration", mmc.ReadyLimit)
}

// saysNo reports whether the drive has answered a command that burning can do
// without, in the negative.
func saysNo(err error) bool {
	if _, ok := errors.AsType[*mmc.ResponseError](err); ok {
		return true
	}
	se, ok := errors.AsType[*mmc.SenseError](err)
	return ok && !se.Deferred && se.Key != mmc.KeyUnitAttention
}

// selectParameters sends mode page 05h for a data track, with buffer underrun
// protection unless the drive does not know it.
func (c cd) selectParameters(ctx context.Context, d *mmc.Drive, w mmc.WriteType, m mmc.MultiSession) error {
	p := mmc.NewWriteParameters()
	p.SetBUFE(true)
	p.SetWriteType(w)
	p.SetMultiSession(m)
	p.SetTrackMode(mmc.ControlData)
	p.SetDataBlockType(mmc.BlockTypeMode1)
	if c.xa {
		p.SetDataBlockType(mmc.BlockTypeXAForm1)
		p.SetSessionFormat(mmc.SessionXA)
		p.SetSubHeader([4]byte{2: mmc.SubModeData})
	}
	p.SetAudioPauseLength(cdAudioPause)
	return selectPage(ctx, d, p)
}

// closeSession sends the page again: the drive may have forgotten it since, and
// its multi-session field decides what closing the session means.
func (c cd) closeSession(ctx context.Context, r *sequential, keepAppendable bool) (mmc.CloseFunction, error) {
	return mmc.CloseSession, c.selectParameters(ctx, r.d, mmc.WriteTAO, multiSession(keepAppendable))
}

func multiSession(keepAppendable bool) mmc.MultiSession {
	if keepAppendable {
		return mmc.MultiSessionNext
	}
	return mmc.MultiSessionNone
}
