package mmc

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// descriptorSense is descriptor format sense data (SPC-3 4.5.2): a read error at
// block 4711 (Information descriptor, 4.5.2.2), 25 % progress (sense key
// specific descriptor, 4.5.2.4).
var descriptorSense = []byte{
	0x72, 0x02, 0x04, 0x08, 0, 0, 0, 20,
	0x00, 0x0a, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x67,
	0x02, 0x06, 0, 0, 0x80, 0x40, 0x00, 0,
}

func TestSense(t *testing.T) {
	s := NewSense(KeyNotReady, 0x04, 0x08)
	s.SetInformation(4711)
	s.SetProgress(0x4000)
	for _, s := range []Sense{s, descriptorSense} {
		info, ok := s.Information()
		progress, pok := s.Progress()
		if !s.Valid() || s.Key() != KeyNotReady || s.ASC() != 4 || s.ASCQ() != 8 || !ok || info != 4711 || !pok || progress != 0x4000 || s.Deferred() {
			t.Errorf("% x: %v %v/%v, information %v %v, progress %v %v", s, s.Key(), s.ASC(), s.ASCQ(), info, ok, progress, pok)
		}
	}
	s.SetDeferred()
	if !s.Deferred() {
		t.Error("not deferred")
	}
	medium := NewSense(KeyMediumError, 0x11, 5)
	medium.SetProgress(1)
	if _, ok := medium.Progress(); ok {
		t.Error("progress of a medium error: the field means something else there")
	}
}

func TestErrorTexts(t *testing.T) {
	read := NewSense(KeyMediumError, 0x11, 0x05)
	read.SetInformation(4712)
	late := NewSense(KeyMediumError, 0x0c, 0x00)
	late.SetDeferred()
	for _, c := range []struct {
		err  error
		want string
	}{
		{NewSenseError(cdbBlocks10(OpRead10, 4711, 32), read), "READ(10) block 4711 count 32: MEDIUM ERROR 3/11/05 L-EC uncorrectable error at block 4712"},
		{NewSenseError(cdbTestUnitReady(), late), "TEST UNIT READY: MEDIUM ERROR 3/0C/00 write error (reported late, for an earlier command)"},
		{NewSenseError(cdbCloseTrackSession(true, CloseSession, 0), NewSense(KeyIllegalRequest, 0x72, 3)),
			"CLOSE TRACK/SESSION function 2 track 0: ILLEGAL REQUEST 5/72/03 session fixation error, incomplete track in session"},
		{NewSenseError(nil, NewSense(KeyVendor, 0x80, 0x81)), "empty command: VENDOR SPECIFIC 9/80/81"},
		{&TransportError{CDB: cdbReadCapacity(), Host: 3, Err: errors.New("timed out")}, "READ CAPACITY: the command was lost, and nobody knows whether the drive executed it (host 03h, driver 00h, status 00h): timed out"},
		{&TransportError{CDB: cdbReadCapacity(), Unsent: true, Err: errors.New("no")}, "READ CAPACITY: the command was not sent to the drive: no"},
		{&TransportError{CDB: cdbReadCapacity(), Gone: true, Host: 1}, "READ CAPACITY: the drive is gone, and nobody knows whether it executed the command (host 01h, driver 00h, status 00h)"},
		{&TransportError{CDB: cdbReadCapacity(), Gone: true, Unsent: true}, "READ CAPACITY: the drive is gone"},
		{&TransportError{CDB: cdbReadCapacity(), Status: StatusTaskSetFull, Unsent: true}, "READ CAPACITY: the drive is busy and did not take the command (host 00h, driver 00h, status 28h)"},
		{&TransportError{CDB: cdbReadCapacity(), Status: StatusReservationConflict, Unsent: true}, "READ CAPACITY: the drive is reserved by another computer and did not take the command (host 00h, driver 00h, status 18h)"},
		{newResponseError(OpInquiry, []byte{1, 2}, "too short"), "INQUIRY: the drive's reply makes no sense: too short (01 02)"},
	} {
		if c.err.Error() != c.want {
			t.Errorf("got  %s\nwant %s", c.err, c.want)
		}
	}
}

func TestConditions(t *testing.T) {
	e := fmt.Errorf("wrapped: %w", NewSenseError(cdbTestUnitReady(), NewSense(2, 0x3a, 0x02)))
	for _, c := range []struct {
		target error
		want   bool
		reason string
	}{
		{ErrNoMedium, true, "any qualifier"},
		{ErrNotReady, true, "any code"},
		{ErrBecomingReady, false, "another code"},
		{ErrSessionFixation, false, "another code with any key"},
		{ErrMediumError, false, "another key"},
		{context.Canceled, false, "no condition"},
	} {
		if got := errors.Is(e, c.target); got != c.want {
			t.Errorf("errors.Is(%v, %v) = %v: %s", e, c.target, got, c.reason)
		}
	}
	for _, key := range []SenseKey{KeyMediumError, KeyIllegalRequest} {
		if !errors.Is(NewSenseError(nil, NewSense(key, 0x72, 1)), ErrSessionFixation) {
			t.Errorf("session fixation error with key %v", key)
		}
	}
}

func TestAdvice(t *testing.T) {
	sense := func(cdb []byte, key SenseKey, asc, ascq uint8, change ...func(Sense)) error {
		s := NewSense(key, asc, ascq)
		for _, f := range change {
			f(s)
		}
		return NewSenseError(cdb, s)
	}
	read, write := cdbBlocks10(OpRead10, 0, 1), cdbBlocks10(OpWrite10, 0, 1)
	for _, c := range []struct {
		err    error
		want   Action
		reason string
	}{
		{nil, Proceed, "no error"},
		{sense(write, 1, 0x17, 1), Proceed, "recovered by the drive"},
		{sense(write, 1, 0x17, 1, Sense.SetDeferred), Retry, "recovered earlier; this command was not done"},
		{sense(write, 0, 0, 0), Retry, "nothing is known"},
		{sense(write, 2, 0x04, 0x08), Wait, "long write in progress"},
		{sense(write, 2, 0x04, 0x01), Wait, "becoming ready"},
		{sense(write, 2, 0x04, 0x03), GiveUp, "somebody must do something"},
		{sense(write, 2, 0x3a, 0x00), GiveUp, "no medium"},
		{sense(read, 3, 0x11, 0x00), Retry, "reading again may help"},
		{sense(write, 3, 0x0c, 0x00), GiveUp, "the block is lost"},
		{sense(read, 3, 0x0c, 0x00, Sense.SetDeferred), GiveUp, "an earlier block is lost"},
		{sense(read, 4, 0x08, 0x00), Retry, "reading again may help"},
		{sense(write, 4, 0x08, 0x00), GiveUp, "hardware error"},
		{sense(write, 5, 0x21, 0x02), GiveUp, "the address will not become right"},
		{sense(read, 6, 0x28, 0x00), Reload, "another medium"},
		{sense(read, 6, 0x29, 0x00), Reload, "reset"},
		{sense(read, 6, 0x2a, 0x01), Retry, "mode parameters changed, is told once"},
		{sense(write, 7, 0x27, 0x00), GiveUp, "write protected"},
		{sense(read, 8, 0x00, 0x00), GiveUp, "nothing is recorded there"},
		{sense(read, 0xb, 0x00, 0x00), Retry, "aborted"},
		{&TransportError{CDB: read}, Retry, "reading again does no harm"},
		{&TransportError{CDB: write}, GiveUp, "the outcome is unknown"},
		{&TransportError{CDB: write, Status: StatusBusy, Unsent: true}, Wait, "the drive did not take it and is busy"},
		{&TransportError{CDB: write, Status: StatusTaskSetFull, Unsent: true}, Wait, "the drive did not take it and is busy"},
		{&TransportError{CDB: read, Status: StatusReservationConflict, Unsent: true}, GiveUp, "another host has the drive"},
		{&TransportError{CDB: read, Gone: true}, GiveUp, "nobody is there"},
		{&TransportError{}, GiveUp, "nothing is known of the command"},
		{&ResponseError{}, Retry, "replies come from commands that ask"},
		{fmt.Errorf("wrapped: %w", sense(read, 6, 0x28, 0)), Reload, "a wrapped error"},
		{context.Canceled, GiveUp, "the caller wants no more"},
		{ErrClosed, GiveUp, "no drive"},
		{errors.New("anything"), GiveUp, "unknown errors"},
	} {
		if got := Advice(c.err); got != c.want {
			t.Errorf("Advice(%v) = %v, want %v: %s", c.err, got, c.want, c.reason)
		}
	}
}
