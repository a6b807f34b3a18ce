// Package twinmd5 takes two MD5s (RFC 1321) of what passes: that of the whole,
// and that of the part at hand, such as a file in an image.
//
//	bytes    ──────────────────────────────────────────────▶
//	whole    ├────────────────────────────────────────────┤
//	part          ├────────┤      ├──────────┤
//
// Each step of MD5 needs the result of the one before, so that a processor spends
// most of the time waiting. Where it has AVX-512 VL both MD5s are made in the time
// of one: each of four vector registers holds one word of the state of both (RFC
// 1321 3.3), and both are given the same 64 bytes of the message, as long as the
// part begins at a multiple of 64 bytes of the whole. Elsewhere crypto/md5 makes
// one after the other.
package twinmd5
