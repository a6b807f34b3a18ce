package iscsi

import (
	"slices"
	"strconv"
	"strings"
)

// Answers that are no values (RFC 7143 6.2).
const (
	notUnderstood = "NotUnderstood"
	irrelevant    = "Irrelevant"
	reject        = "Reject"
)

// What this target offers. An initiator may only lower these.
const (
	// maxSegment is the longest data segment that is taken (MaxRecvDataSegmentLength).
	maxSegment = 256 << 10
	// maxBurst is the longest sequence of Data-Out that is asked for, and of
	// Data-In that is sent (MaxBurstLength).
	maxBurst = 1 << 20
	// maxFirstBurst is how much may come with a command (FirstBurstLength).
	maxFirstBurst = 64 << 10
)

// parameters is what an initiator and this target agreed on, first the defaults
// of RFC 7143 13.
type parameters struct {
	sendSegment   int  // the initiator's MaxRecvDataSegmentLength, 13.12
	burst         int  // MaxBurstLength, 13.13
	firstBurst    int  // FirstBurstLength, 13.14
	immediateData bool // 13.11
}

func defaultParameters() parameters {
	return parameters{sendSegment: 8192, burst: 256 << 10, firstBurst: 64 << 10, immediateData: true}
}

// When a key may be negotiated.
type phase uint8

const (
	inSecurity    phase = 1 << iota // SecurityNegotiation
	inOperational                   // LoginOperationalNegotiation
	inFullFeature                   // text requests
)

// key is how this target answers one text key (RFC 7143 12, 13).
type key struct {
	phases phase
	// answer returns the value to reply and notes the outcome; "" replies
	// nothing, as declarations want.
	answer func(p *parameters, value string) string
}

// keys are the keys that need nothing but the value to be answered. Those that
// say who the parties are, such as InitiatorName, are in login.go.
var keys = map[string]key{
	"HeaderDigest":   {inOperational, choose("None")},                                            // 13.1
	"DataDigest":     {inOperational, choose("None")},                                            // 13.1
	"AuthMethod":     {inSecurity, choose("None")},                                               // 12.1
	"TaskReporting":  {inOperational, choose("RFC3720")},                                         // 13.23
	"MaxConnections": {inOperational, number(1, 65535, lowest(1))},                               // 13.2
	"InitialR2T":     {inOperational, boolean(func(_ *parameters, _ bool) bool { return true })}, // 13.10
	"ImmediateData": {inOperational, boolean(func(p *parameters, v bool) bool { // 13.11
		p.immediateData = v
		return v
	})},
	"MaxRecvDataSegmentLength": {inOperational | inFullFeature, func(p *parameters, value string) string { // 13.12
		v, ok := parseNumber(value)
		if !ok || v < 512 || v > 1<<24-1 {
			return reject
		}
		p.sendSegment = int(v)
		return ""
	}},
	"MaxBurstLength": {inOperational, number(512, 1<<24-1, func(p *parameters, v uint32) uint32 { // 13.13
		p.burst = min(int(v), maxBurst)
		return uint32(p.burst)
	})},
	"FirstBurstLength": {inOperational, number(512, 1<<24-1, func(p *parameters, v uint32) uint32 { // 13.14
		p.firstBurst = min(int(v), maxFirstBurst)
		return uint32(p.firstBurst)
	})},
	"DefaultTime2Wait":    {inOperational, number(0, 3600, func(_ *parameters, v uint32) uint32 { return v })},          // 13.15
	"DefaultTime2Retain":  {inOperational, number(0, 3600, lowest(0))},                                                  // 13.16
	"MaxOutstandingR2T":   {inOperational, number(1, 65535, lowest(1))},                                                 // 13.17
	"DataPDUInOrder":      {inOperational, boolean(func(_ *parameters, _ bool) bool { return true })},                   // 13.18
	"DataSequenceInOrder": {inOperational, boolean(func(_ *parameters, _ bool) bool { return true })},                   // 13.19
	"ErrorRecoveryLevel":  {inOperational, number(0, 2, lowest(0))},                                                     // 13.20
	"iSCSIProtocolLevel":  {inOperational, number(0, 31, lowest(1))},                                                    // 13.24
	"OFMarker":            {inOperational, boolean(func(_ *parameters, _ bool) bool { return false })},                  // 13.25, obsolete
	"IFMarker":            {inOperational, boolean(func(_ *parameters, _ bool) bool { return false })},                  // 13.25, obsolete
	"OFMarkInt":           {inOperational, func(*parameters, string) string { return irrelevant }},                      // 13.25, obsolete
	"IFMarkInt":           {inOperational, func(*parameters, string) string { return irrelevant }},                      // 13.25, obsolete
	"RDMAExtensions":      {inOperational, boolean(func(_ *parameters, _ bool) bool { return false })},                  // RFC 7145 6.3
	"InitiatorAlias":      {inSecurity | inOperational | inFullFeature, func(*parameters, string) string { return "" }}, // 13.7
}

// choose answers a list with the one value that is possible (RFC 7143 6.2.1).
func choose(only string) func(*parameters, string) string {
	return func(_ *parameters, value string) string {
		if slices.Contains(strings.Split(value, ","), only) {
			return only
		}
		return reject
	}
}

// number answers a numerical value within a range (RFC 7143 6.2.2).
func number(low, high uint32, result func(*parameters, uint32) uint32) func(*parameters, string) string {
	return func(p *parameters, value string) string {
		v, ok := parseNumber(value)
		if !ok || v < low || v > high {
			return reject
		}
		return strconv.FormatUint(uint64(result(p, v)), 10)
	}
}

// lowest is the result function Minimum.
func lowest(ours uint32) func(*parameters, uint32) uint32 {
	return func(_ *parameters, v uint32) uint32 { return min(v, ours) }
}

// boolean answers Yes or No (RFC 7143 6.2.2).
func boolean(result func(*parameters, bool) bool) func(*parameters, string) string {
	return func(p *parameters, value string) string {
		if value != "Yes" && value != "No" {
			return reject
		}
		if result(p, value == "Yes") {
			return "Yes"
		}
		return "No"
	}
}
