package mmc

import (
	"reflect"
	"testing"
)

// FuzzReplies gives any bytes to every parser of a reply: none may panic, and
// what a parser accepts must answer all its accessors.
func FuzzReplies(f *testing.F) {
	for _, b := range [][]byte{
		discInformationSample, trackInformationSample, tocSample, fullTOCSample, configurationSample,
		formatCapacitiesSample, atipSample, capabilitiesSample, writeSpeedsSample,
		NewInquiry("A", "B", "C"), NewCapacity(1), NewBufferCapacity(1, 1), NewMediaEvent(1, true, true),
		NewModeData(NewWriteParameters()), NewDiscStructure(NewADIP("A", "B")), NewPOWResources(1, 2, 3), {}, make([]byte, 64),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		accessors(t, b, parseDiscInformation)
		accessors(t, b, parseTrackInformation)
		accessors(t, b, parseTOC)
		accessors(t, b, parseFullTOC)
		accessors(t, b, parseATIP)
		accessors(t, b, parseConfiguration)
		accessors(t, b, parseFormatCapacities)
		accessors(t, b, parseCapacity)
		accessors(t, b, parseBufferCapacity)
		accessors(t, b, parseCapabilities)
		accessors(t, b, parseWriteParameters)
		accessors(t, b, parseWriteSpeeds)
		accessors(t, b, parseEventStatus)
		accessors(t, b, parseInquiry)
		accessors(t, b, parseDiscStructure)
		accessors(t, b, parsePOWResources)
		accessors(t, b, parseNominalPerformance)
		accessors(t, b, parseUnusableArea)
		if c, err := parseConfiguration(b); err == nil {
			for _, f := range c.Features() {
				callAll(reflect.ValueOf(f))
			}
		}
		if c, err := parseTOC(b); err == nil && len(c.Tracks())*tocDescriptor > len(b) {
			t.Errorf("%d tracks of %d bytes", len(c.Tracks()), len(b))
		}
		for _, e := range CueSheet(b).Entries() {
			callAll(reflect.ValueOf(e))
		}
		if c, err := parseFullTOC(b); err == nil {
			for _, e := range c.Entries() {
				callAll(reflect.ValueOf(e))
			}
		}
	})
}

func accessors[V ~[]byte](t *testing.T, b []byte, parse func([]byte) (V, error)) {
	v, err := parse(b)
	if err != nil {
		return
	}
	if len(v) > len(b) {
		t.Errorf("%T: %d bytes of %d", v, len(v), len(b))
	}
	callAll(reflect.ValueOf(v))
}

// callAll calls all methods without arguments and with a result: the accessors.
func callAll(v reflect.Value) {
	for i := range v.NumMethod() {
		if m := v.Method(i); m.Type().NumIn() == 0 && m.Type().NumOut() > 0 {
			m.Call(nil)
		}
	}
}

// FuzzSense gives any bytes as sense data, and whatever the accessors say of
// them to the error and the advice made of it.
func FuzzSense(f *testing.F) {
	f.Add([]byte(NewSense(KeyMediumError, 0x11, 0x05)))
	f.Add(descriptorSense)
	f.Add([]byte{0x72, 2, 4, 8, 0, 0, 0, 255, 0, 200})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := Sense(b)
		callAll(reflect.ValueOf(s))
		e := NewSenseError([]byte{byte(OpRead10)}, s)
		if e.Error() == "" {
			t.Error("no text")
		}
		if a := Advice(e); a > GiveUp {
			t.Errorf("advice %v", a)
		}
	})
}

// FuzzDescribe gives any bytes as a CDB to what looks into CDBs.
func FuzzDescribe(f *testing.F) {
	f.Add(cdbBlocks10(OpRead10, 1, 2))
	f.Add(cdbReadTrackInformation(ByTrack, 1, 2))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if describe(b) == "" {
			t.Error("no description")
		}
		BlockRange(b)
	})
}
