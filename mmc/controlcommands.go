package mmc

import (
	"context"
	"errors"
	"fmt"
)

// CloseFunction is what CLOSE TRACK/SESSION closes (MMC-5 6.3).
type CloseFunction uint8

// Close functions. Their meaning depends on the medium.
const (
	CloseStopFormat      CloseFunction = 0 // DVD+RW: stop background formatting
	CloseTrack           CloseFunction = 1 // the track with the given number
	CloseSession         CloseFunction = 2 // the last session; DVD+RW: stop background formatting
	CloseFinalizeMinimal CloseFunction = 5 // DVD+R: finalize with minimal radius
	CloseFinalizeDisc    CloseFunction = 6 // BD-R, DVD+R: finalize the disc
)

// BlankType is what BLANK erases (MMC-5 6.2).
type BlankType uint8

// Blanking types.
const (
	BlankDisc    BlankType = 0
	BlankMinimal BlankType = 1 // lead-in, PMA and pregap only
)

// StartStop is what START STOP UNIT does (MMC-5 6.40).
type StartStop uint8

// Operations of START STOP UNIT.
const (
	StopUnit  StartStop = 0
	StartUnit StartStop = 1
	Eject     StartStop = 2
	Load      StartStop = 3
)

// SelectWriteParameters sends mode page 05h (MMC-5 6.12, 7.5). It must not be
// sent for DVD+R, DVD+RW, DVD-RAM and BD. Drives whose own page has another length
// than that of MMC-5 take only a page of theirs: they get it, with what they have
// behind the end of p.
func (d *Drive) SelectWriteParameters(ctx context.Context, p WriteParameters) error {
	err := d.ModeSelect10(ctx, p)
	if !errors.Is(err, ErrIllegalRequest) {
		return err
	}
	own, serr := d.SenseWriteParameters(ctx)
	if serr != nil || len(own) == len(p) {
		return err
	}
	length := own[1]
	copy(own, p)
	own[1] = length
	return d.ModeSelect10(ctx, own)
}

// ModeSelect10 sends a mode page (MMC-5 6.12).
func (d *Drive) ModeSelect10(ctx context.Context, page []byte) error {
	if len(page) < 2 {
		return fmt.Errorf("mmc: a mode page of %d bytes", len(page))
	}
	m := NewModeData(page)
	put16(m, 0, 0)           // SPC-3 7.4.3: reserved in MODE SELECT
	m[modeHeaderLen] &= 0x3f // PS is reserved too
	return d.set(ctx, cdbModeSelect10(uint16(len(m))), m)
}

// SetCDSpeed asks for speeds in kB/s, kB = 1000 bytes, FFFFh for the maximum
// (MMC-5 6.37). Drives choose the next lower speed they can do.
func (d *Drive) SetCDSpeed(ctx context.Context, read, write uint16) error {
	return d.set(ctx, cdbSetCDSpeed(read, write), nil)
}

// SetStreaming asks for speeds in a range of blocks (MMC-5 6.39). The setting
// outlives the medium.
func (d *Drive) SetStreaming(ctx context.Context, s Streaming) error {
	return d.set(ctx, cdbSetStreaming(), s)
}

// SendOPC makes the drive calibrate its laser (MMC-5 6.36).
func (d *Drive) SendOPC(ctx context.Context) error {
	return d.send(ctx, cdbSendOPC(), nil, timeoutOPC)
}

// PreventAllowMediumRemoval locks or unlocks the door (MMC-5 6.14). Close unlocks
// it in any case. A reset unlocks it, too.
func (d *Drive) PreventAllowMediumRemoval(ctx context.Context, prevent bool) error {
	return d.set(ctx, cdbPreventAllowRemoval(prevent), nil)
}

// StartStopUnit loads, ejects, starts or stops the medium (MMC-5 6.40). With
// immed it returns before that is done.
func (d *Drive) StartStopUnit(ctx context.Context, immed bool, a StartStop) error {
	return d.send(ctx, cdbStartStopUnit(immed, a), nil, timeoutLoad)
}

// SynchronizeCache makes the drive write its whole buffer to the medium (MMC-5
// 6.41). With immed it returns before that is done: wait with [Drive.WaitReady].
func (d *Drive) SynchronizeCache(ctx context.Context, immed bool) error {
	return d.send(ctx, cdbSynchronizeCache(immed), nil, timeoutClose)
}

// CloseTrackSession closes a track, the last session, or the disc (MMC-5 6.3).
// With immed it returns before that is done: wait with [Drive.WaitReady].
func (d *Drive) CloseTrackSession(ctx context.Context, immed bool, f CloseFunction, track uint16) error {
	return d.send(ctx, cdbCloseTrackSession(immed, f, track), nil, timeoutClose)
}

// ReserveTrack reserves a track of the given size (MMC-5 6.31).
func (d *Drive) ReserveTrack(ctx context.Context, blocks uint32) error {
	return d.send(ctx, cdbReserveTrack(blocks), nil, timeoutClose)
}

// Blank erases a rewritable sequential medium (MMC-5 6.2). With immed it returns
// before that is done: wait with [Drive.WaitReady].
func (d *Drive) Blank(ctx context.Context, immed bool, t BlankType) error {
	return d.send(ctx, cdbBlank(immed, t), nil, timeoutFormat)
}

// FormatParameters is the parameter list of FORMAT UNIT (MMC-5 6.5.3): a format
// list header and one format descriptor.
//
//	 0   1                2 3                4…7               8                9…11
//	┌───┬────────────────┬──────────────────┬─────────────────┬────────────────┬────────────────┐
//	│ 0 │FOV DCRT … Immed│ descriptor length│ number of blocks│ type, sub-type │ type dependent │
//	└───┴────────────────┴──────────────────┴─────────────────┴────────────────┴────────────────┘
type FormatParameters []byte

// FormatRestart is the type dependent parameter of format type 26h that
// continues a stopped background format (MMC-5 6.5.4.2.14).
const FormatRestart = 1

// NewFormatParameters makes a parameter list for one of the descriptors that
// READ FORMAT CAPACITIES returned.
func NewFormatParameters(desc FormatDescriptor, subType uint8, immed bool) FormatParameters {
	p := make(FormatParameters, formatHeaderLen+formatDescLength)
	p.SetOptions(desc.Type < FormatDVDRWFull || desc.Type >= FormatBDRESpare)
	putBit(p, 1, 0x02, immed)
	put16(p, 2, formatDescLength)
	put32(p, 4, desc.Blocks)
	p[8] = uint8(desc.Type)<<2 | subType&3
	put24(p, 9, desc.Parameter)
	return p
}

// SetOptions says that the format options are valid (FOV), which are all off.
// DVD+RW has none and drives are not known to expect them for DVD-RW, whose format
// type 00h is also that of other media.
func (p FormatParameters) SetOptions(valid bool) { putBit(p, 1, 0x80, valid) }

// Immed reports whether the command returns before formatting is done.
func (p FormatParameters) Immed() bool { return u8(p, 1)&0x02 != 0 }

// Descriptor returns what to format to.
func (p FormatParameters) Descriptor() FormatDescriptor {
	return FormatDescriptor{u32(p, 4), FormatType(u8(p, 8) >> 2), u24(p, 9)}
}

// SubType returns the sub-type of the format type.
func (p FormatParameters) SubType() uint8 { return u8(p, 8) & 3 }

// FormatUnit formats the medium (MMC-5 6.5). With Immed it returns before that
// is done: wait with [Drive.WaitReady].
func (d *Drive) FormatUnit(ctx context.Context, p FormatParameters) error {
	return d.send(ctx, cdbFormatUnit(), p, timeoutFormat)
}
