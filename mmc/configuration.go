package mmc

// FeatureCode is the number of a feature (MMC-5 5.2.2).
type FeatureCode uint16

// Features (MMC-5 5.3), in ascending order.
const (
	FeatureProfileList       FeatureCode = 0x0000 // 5.3.1
	FeatureCore              FeatureCode = 0x0001 // 5.3.2
	FeatureMorphing          FeatureCode = 0x0002 // 5.3.3
	FeatureRemovableMedium   FeatureCode = 0x0003 // 5.3.4
	FeatureWriteProtect      FeatureCode = 0x0004 // 5.3.5
	FeatureRandomReadable    FeatureCode = 0x0010 // 5.3.6
	FeatureMultiRead         FeatureCode = 0x001d // 5.3.7
	FeatureCDRead            FeatureCode = 0x001e // 5.3.8
	FeatureDVDRead           FeatureCode = 0x001f // 5.3.9
	FeatureRandomWritable    FeatureCode = 0x0020 // 5.3.10
	FeatureIncremental       FeatureCode = 0x0021 // 5.3.11 Incremental Streaming Writable
	FeatureFormattable       FeatureCode = 0x0023 // 5.3.13
	FeatureRestrictedOver    FeatureCode = 0x0026 // 5.3.16 Restricted Overwrite
	FeatureDVDPlusRW         FeatureCode = 0x002a // 5.3.20
	FeatureDVDPlusR          FeatureCode = 0x002b // 5.3.21
	FeatureRigidRestricted   FeatureCode = 0x002c // 5.3.22 Rigid Restricted Overwrite
	FeatureCDTrackAtOnce     FeatureCode = 0x002d // 5.3.23
	FeatureCDMastering       FeatureCode = 0x002e // 5.3.24
	FeatureDVDRWrite         FeatureCode = 0x002f // 5.3.25
	FeatureLayerJump         FeatureCode = 0x0033
	FeatureCDRWWriteSupport  FeatureCode = 0x0037
	FeatureBDRPseudoOver     FeatureCode = 0x0038 // BD-R Pseudo-Overwrite (POW)
	FeatureDVDPlusRWDL       FeatureCode = 0x003a // DVD+RW Dual Layer
	FeatureDVDPlusRDL        FeatureCode = 0x003b // DVD+R Dual Layer
	FeatureBDRead            FeatureCode = 0x0040
	FeatureBDWrite           FeatureCode = 0x0041
	FeaturePowerManagement   FeatureCode = 0x0100
	FeatureRealTimeStreaming FeatureCode = 0x0107
	FeatureSerialNumber      FeatureCode = 0x0108
)

// Feature is one feature descriptor (MMC-5 5.2.2):
//
//	 0 1           2                              3            4…
//	┌─────────────┬──────────────────────────────┬────────────┬───────┐
//	│feature code │ --, version, persist, current│ add. length│ data… │
//	└─────────────┴──────────────────────────────┴────────────┴───────┘
type Feature []byte

// NewFeature makes a descriptor. The length of data must be a multiple of 4
// and below 256.
func NewFeature(code FeatureCode, version uint8, persistent, current bool, data ...byte) Feature {
	f := make(Feature, 4, 4+len(data))
	put16(f, 0, uint16(code))
	putBits(f, 2, 0x3c, version)
	putBit(f, 2, 0x02, persistent)
	putBit(f, 2, 0x01, current)
	f[3] = uint8(len(data))
	return append(f, data...)
}

// Code returns the number of the feature.
func (f Feature) Code() FeatureCode { return FeatureCode(u16(f, 0)) }

// Version returns the version of the feature.
func (f Feature) Version() uint8 { return u8(f, 2) >> 2 & 0xf }

// Persistent reports whether the feature is always current.
func (f Feature) Persistent() bool { return u8(f, 2)&2 != 0 }

// Current reports whether the feature is active with the loaded medium.
func (f Feature) Current() bool { return u8(f, 2)&1 != 0 }

// Data returns the feature dependent data.
func (f Feature) Data() []byte { return f[min(4, len(f)):] }

// Configuration is the reply of GET CONFIGURATION (MMC-5 6.6):
//
//	 0 1 2 3       4 5   6 7              8…
//	┌─────────────┬─────┬────────────────┬─────────────────────┐
//	│ data length │  0  │ current profile│ feature descriptors │
//	└─────────────┴─────┴────────────────┴─────────────────────┘
type Configuration []byte

const configurationHeader = 8

// NewConfiguration composes a reply.
func NewConfiguration(current Profile, features ...Feature) Configuration {
	c := make(Configuration, configurationHeader)
	put16(c, 6, uint16(current))
	for _, f := range features {
		c = append(c, f...)
	}
	put32(c, 0, uint32(len(c)-4))
	return c
}

func parseConfiguration(b []byte) (Configuration, error) {
	if len(b) < configurationHeader {
		return nil, newResponseError(OpGetConfiguration, b, "%d bytes instead of at least %d", len(b), configurationHeader)
	}
	n := uint64(u32(b, 0)) + 4
	if n < configurationHeader {
		return nil, newResponseError(OpGetConfiguration, b, "data length %d", n-4)
	}
	c := Configuration(b[:min(uint64(len(b)), n)])
	for rest := c[configurationHeader:]; len(rest) > 0; {
		f, tail := cutFeature(rest)
		if f == nil {
			// Cut off by the allocation length if the drive has more than we
			// asked for; garbled if this was all.
			if n <= uint64(len(b)) {
				return nil, newResponseError(OpGetConfiguration, b, "feature descriptors do not fill the reply of %d bytes", n)
			}
			c = c[:len(c)-len(rest)]
			break
		}
		rest = tail
	}
	return c, nil
}

func cutFeature(b []byte) (f Feature, rest Configuration) {
	if len(b) < 4 {
		return nil, nil
	}
	n := 4 + int(b[3])
	if n > len(b) {
		return nil, nil
	}
	return Feature(b[:n]), b[n:]
}

// CurrentProfile returns the profile of the loaded medium.
func (c Configuration) CurrentProfile() Profile { return Profile(u16(c, 6)) }

// DataLength returns the length of all the drive could have sent, in bytes.
func (c Configuration) DataLength() uint32 { return u32(c, 0) + 4 }

// Features returns all feature descriptors of the reply.
func (c Configuration) Features() []Feature {
	var fs []Feature
	for rest := c[min(configurationHeader, len(c)):]; ; {
		f, tail := cutFeature(rest)
		if f == nil {
			return fs
		}
		fs, rest = append(fs, f), tail
	}
}

// Feature returns the descriptor of one feature, or nil.
func (c Configuration) Feature(code FeatureCode) Feature {
	for _, f := range c.Features() {
		if f.Code() == code {
			return f
		}
	}
	return nil
}

// Current reports whether a feature is active with the loaded medium.
func (c Configuration) Current(code FeatureCode) bool { return c.Feature(code).Current() }

// Profiles returns what the profile list feature says the drive can handle.
func (c Configuration) Profiles() []Profile {
	var ps []Profile
	for d := c.Feature(FeatureProfileList).Data(); len(d) >= 4; d = d[4:] {
		ps = append(ps, Profile(u16(d, 0)))
	}
	return ps
}

// NewProfileList makes the profile list feature (MMC-5 5.3.1), marking one
// profile as current.
func NewProfileList(current Profile, profiles ...Profile) Feature {
	var data []byte
	for _, p := range profiles {
		d := make([]byte, 4)
		put16(d, 0, uint16(p))
		putBit(d, 2, 1, p == current)
		data = append(data, d...)
	}
	return NewFeature(FeatureProfileList, 0, true, true, data...)
}
