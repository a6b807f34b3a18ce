package mmc

import (
	"context"
	"errors"
)

// Action is what to do after a command has failed.
type Action uint8

// Actions, from harmless to hopeless.
const (
	Proceed Action = iota // the command has done its work
	Wait                  // the drive is busy: send the same command again after a while
	Retry                 // a passing trouble: send the same command again, a few times
	Reload                // what is known about medium and drive is void: inspect it again
	GiveUp                // no repetition will help
)

// String names the action.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "action?"
}

var actionNames = [...]string{"proceed", "wait", "retry", "reload", "give up"}

// advice is searched from top to bottom; anyCode matches all codes.
var advice = []struct {
	key, asc, ascq int
	action         Action
}{
	{0x0, 0x00, 0x16, Wait}, // operation in progress
	{0x0, anyCode, anyCode, Retry},

	{0x1, anyCode, anyCode, Proceed},

	{0x2, 0x04, 0x03, GiveUp}, // manual intervention required
	{0x2, 0x04, anyCode, Wait},
	{0x2, 0x3a, anyCode, GiveUp}, // no medium
	{0x2, 0x30, anyCode, GiveUp}, // incompatible medium
	{0x2, 0x3e, anyCode, Wait},   // has not self-configured yet
	{0x2, anyCode, anyCode, GiveUp},

	{0x6, 0x28, anyCode, Reload}, // medium may have changed
	{0x6, 0x29, anyCode, Reload}, // reset: mode pages, speeds, door lock and cache are gone
	{0x6, 0x3b, anyCode, Reload}, // mechanism moved
	{0x6, anyCode, anyCode, Retry},

	{0xb, anyCode, anyCode, Retry},
}

// Advice says what to do about the result of a command. It only looks at the
// error, so a caller that may not send the command twice (a WRITE whose outcome
// is unknown) has to find out first what Retry would repeat.
//
//   - no error, or recovered by the drive: Proceed
//   - deferred sense data: GiveUp, because an earlier write is lost; it blames
//     another command than the one that returned it
//   - medium and hardware errors, transport and reply trouble: Retry if the
//     command only reads, else GiveUp
//   - a drive that was too busy to take the command: Wait; one that is gone, or
//     reserved by another host: GiveUp
//   - the rest as the table above says; what is not in it: GiveUp
func Advice(err error) Action {
	if err == nil {
		return Proceed
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrClosed) {
		return GiveUp
	}
	if se, ok := errors.AsType[*SenseError](err); ok {
		return se.advice()
	}
	if te, ok := errors.AsType[*TransportError](err); ok {
		return te.advice()
	}
	if _, ok := errors.AsType[*ResponseError](err); ok {
		return Retry // only commands that ask have replies
	}
	return GiveUp
}

func (e *TransportError) advice() Action {
	switch {
	case e.Gone || e.Status == StatusReservationConflict:
		return GiveUp
	case e.Status == StatusBusy || e.Status == StatusTaskSetFull:
		return Wait
	}
	return retryIfHarmless(e.CDB)
}

func (e *SenseError) advice() Action {
	if e.Deferred {
		if e.Key == KeyRecoveredError {
			return Retry // SPC-3 4.5.5: the command that returned it was not executed
		}
		return GiveUp
	}
	if e.Key == KeyMediumError || e.Key == KeyHardwareError {
		return retryIfHarmless(e.CDB)
	}
	for _, a := range advice {
		if (a.key == anyCode || a.key == int(e.Key)) &&
			(a.asc == anyCode || a.asc == int(e.ASC)) &&
			(a.ascq == anyCode || a.ascq == int(e.ASCQ)) {
			return a.action
		}
	}
	return GiveUp
}

// retryIfHarmless allows repetition of commands that change nothing.
func retryIfHarmless(cdb []byte) Action {
	if len(cdb) == 0 {
		return GiveUp
	}
	switch Opcode(cdb[0]) {
	case OpTestUnitReady, OpRequestSense, OpInquiry, OpReadFormatCapacities, OpReadCapacity,
		OpRead10, OpRead12, OpReadTOC, OpGetConfiguration, OpReadDiscInformation,
		OpReadTrackInformation, OpModeSense10, OpReadBufferCapacity, OpGetPerformance,
		OpReadDiscStructure, OpReadCD:
		return Retry
	}
	return GiveUp
}
