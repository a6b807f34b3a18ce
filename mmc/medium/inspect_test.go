package medium

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"burnfs/mmc"
)

type tracks = map[uint32]mmc.TrackInformation

// TestInspect describes media as real drives show them, with the quirks that
// libburn's documentation and source report.
func TestInspect(t *testing.T) {
	for _, c := range []struct {
		name  string
		drive drive
		want  Info // of the fields compared below
		open  string
		sess  string // "number+:start+blocks,…" complete, "number-" not
		why   string // of NotWritableReason
		one   string // of OneSession
	}{
		{
			name: "blank CD-R in a drive that tells an NWA of -150 (Pioneer BDR-205, LITE-ON LTR-48125S)",
			drive: drive{
				conf:   conf(mmc.ProfileCDR, mmc.FeatureCDTrackAtOnce),
				di:     discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				tracks: tracks{1: with(empty(1, 1, 0xffffff6a, 359844), func(t mmc.TrackInformation) { t.SetNWA(0xffffff6a) })},
			},
			want: Info{Kind: Sequential, Status: Blank, NWA: 0, Free: 359844, Total: 359844, Gap: 11400, MinTrack: 300, WriteUnit: 1},
		},
		{
			name: "blank CD-R in a drive that knows the invisible track only as FFh",
			drive: drive{
				conf:   conf(mmc.ProfileCDR, mmc.FeatureCDTrackAtOnce),
				di:     discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				tracks: tracks{0xff: empty(1, 1, 0, 359844)},
			},
			want: Info{Kind: Sequential, Status: Blank, Free: 359844, Total: 359844, Gap: 11400, MinTrack: 300, WriteUnit: 1},
		},
		{
			name: "CD Extra: audio in session 1, data in session 2",
			drive: drive{
				conf: conf(mmc.ProfileCDR, mmc.FeatureCDTrackAtOnce),
				di:   discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 3, 4, 4),
				tracks: tracks{
					1: with(closed(1, 1, 0, 2000), func(t mmc.TrackInformation) { t.SetTrackMode(0) }),
					2: with(closed(1, 2, 2000, 2500), func(t mmc.TrackInformation) { t.SetTrackMode(2) }),
					3: closed(2, 3, 15900, 302),
					4: empty(3, 4, 23102, 300000),
				},
				capacity: mmc.NewCapacity(16201),
			},
			want: Info{Kind: Sequential, Status: Appendable, LastSession: 15900, NWA: 23102, Free: 300000, Capacity: 16202, Total: 323102, Gap: 6900, MinTrack: 300, WriteUnit: 1},
			sess: "1+:0+2000a,2000+2500a 2+:15900+302",
		},
		{
			name: "CD-R with a track that a power cut left damaged and without NWA",
			drive: drive{
				conf: conf(mmc.ProfileCDR, mmc.FeatureCDTrackAtOnce),
				di:   discInfo(mmc.DiscIncomplete, mmc.SessionIncomplete, 2, 2, 2),
				tracks: tracks{
					1: closed(1, 1, 0, 302),
					2: with(closed(2, 2, 11702, 500), func(t mmc.TrackInformation) { t.SetDamage(true) }),
				},
				capacity: mmc.NewCapacity(301),
			},
			want: Info{Kind: Sequential, Status: Appendable, Capacity: 302, Total: 302, Gap: 6900, MinTrack: 300, WriteUnit: 1},
			sess: "1+:0+302 2-:11702+500", open: "2 at 11702, damaged",
		},
		{
			name: "CD-RW formatted for packet writing",
			drive: drive{
				conf:     conf(mmc.ProfileCDRW, mmc.FeatureCDTrackAtOnce),
				di:       discInfo(mmc.DiscOther, mmc.SessionComplete, 1, 1, 1),
				tracks:   tracks{1: closed(1, 1, 0, 300000)},
				capacity: mmc.NewCapacity(299999),
			},
			want: Info{Kind: Sequential, Status: Appendable, Capacity: 300000, Total: 300000, Gap: 6900, MinTrack: 300, WriteUnit: 1},
			sess: "1+:0+300000", why: "packet writing",
		},
		{
			name: "DVD+R that a growisofs was killed on, in a drive that does not set the blank bit",
			drive: drive{
				conf:     conf(mmc.ProfileDVDPlusR, mmc.FeatureDVDPlusR),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionIncomplete, 2, 2, 2),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: open(2, 2, 3648, 3648+320, 2000000)},
				capacity: mmc.NewCapacity(1599),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 3968, Free: 2000000, Capacity: 1600, Total: 2003968, Gap: 2080, MinTrack: 16, WriteUnit: 16},
			sess: "1+:0+1600 2-:3648+320", open: "2 at 3648, open at 3968",
		},
		{
			name: "DVD+R appendable, the empty track without its blank bit",
			drive: drive{
				conf:     conf(mmc.ProfileDVDPlusR, mmc.FeatureDVDPlusR),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 2, 2, 2),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: open(2, 2, 3648, 3648, 2000000)},
				capacity: mmc.NewCapacity(1599),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 3648, Free: 2000000, Capacity: 1600, Total: 2003648, Gap: 2080, MinTrack: 16, WriteUnit: 16},
			sess: "1+:0+1600",
		},
		{
			name: "DVD+R of which the track was closed and the session was not",
			drive: drive{
				conf:     conf(mmc.ProfileDVDPlusR, mmc.FeatureDVDPlusR),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionIncomplete, 1, 1, 2),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: empty(1, 2, 1600, 2000000)},
				capacity: mmc.NewCapacity(1599),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 1600, Free: 2000000, Capacity: 1600, Total: 2001600, Gap: 2080, MinTrack: 16, WriteUnit: 16},
			sess: "1-:0+1600", open: "1 at 0, closed",
		},
		{
			name: "closed DVD+R",
			drive: drive{
				conf:     conf(mmc.ProfileDVDPlusR),
				di:       discInfo(mmc.DiscComplete, mmc.SessionComplete, 2, 2, 2),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: closed(2, 2, 3648, 160)},
				capacity: mmc.NewCapacity(3807),
			},
			want: Info{Kind: Sequential, Status: Complete, LastSession: 3648, Capacity: 3808, Total: 3808, Gap: 2080, MinTrack: 16, WriteUnit: 16},
			sess: "1+:0+1600 2+:3648+160", why: "closed (finalized)",
		},
		{
			name: "DVD+R in a drive that only reads it",
			drive: drive{
				conf:     conf(mmc.ProfileDVDPlusR),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 2, 2, 2),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: empty(2, 2, 3648, 2000000)},
				capacity: mmc.NewCapacity(1599),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 3648, Free: 2000000, Capacity: 1600, Total: 2003648, Gap: 2080, MinTrack: 16, WriteUnit: 16},
			sess: "1+:0+1600", why: "can only read such media",
		},
		{
			name: "BD-R that was formatted and never written: it calls itself appendable",
			drive: drive{
				conf:     conf(mmc.ProfileBDRSRM, mmc.FeatureBDWrite),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 1, 1, 1),
				tracks:   tracks{1: empty(1, 1, 0, 11826176)},
				capacity: mmc.NewCapacity(0xffffffff),
			},
			want: Info{Kind: Sequential, Status: Blank, Free: 11826176, Total: 11826176, Gap: 2112, MinTrack: 32, WriteUnit: 32},
		},
		{
			name: "BD-R with pseudo-overwrite",
			drive: drive{
				conf:     conf(mmc.ProfileBDRSRM, mmc.FeatureBDWrite, mmc.FeatureBDRPseudoOver),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionIncomplete, 1, 1, 1),
				tracks:   tracks{1: open(1, 1, 0, 320, 11826176)},
				capacity: mmc.NewCapacity(11826175),
			},
			want: Info{Kind: ReadOnly, Status: Complete, Capacity: 11826176, Total: 11826176, MinTrack: 32, WriteUnit: 32},
			sess: "1+:0+11826176", why: "pseudo-overwrite",
		},
		{
			name: "BD-R with pseudo-overwrite and no session in its capacity, as a drive tells it that counts closed ones",
			drive: drive{
				conf:     conf(mmc.ProfileBDRSRM, mmc.FeatureBDWrite, mmc.FeatureBDRPseudoOver),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionIncomplete, 1, 1, 2),
				tracks:   tracks{1: closed(1, 1, 0, 352), 2: empty(1, 2, 352, 12087968)},
				capacity: mmc.NewCapacity(0xffffffff),
			},
			want: Info{Kind: ReadOnly, Status: Complete, Capacity: 352, Total: 352, MinTrack: 32, WriteUnit: 32},
			sess: "1+:0+352", why: "pseudo-overwrite",
		},
		{
			name: "full BD-R",
			drive: drive{
				conf:     conf(mmc.ProfileBDRSRM, mmc.FeatureBDWrite),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 2, 2, 2),
				tracks:   tracks{1: closed(1, 1, 0, 12219392)},
				capacity: mmc.NewCapacity(12219391),
			},
			want: Info{Kind: Sequential, Status: Appendable, Capacity: 12219392, Total: 12219392, Gap: 2112, MinTrack: 32, WriteUnit: 32},
			sess: "1+:0+12219392", why: "full",
		},
		{
			name: "DVD+RW that was never formatted",
			drive: drive{
				conf:     conf(mmc.ProfileDVDPlusRW, mmc.FeatureDVDPlusRW),
				di:       discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				formats:  mmc.NewFormatCapacities(mmc.CapacityUnformatted, 2295104).Append(mmc.FormatDescriptor{Blocks: 2295104, Type: mmc.FormatDVDPlusRW}),
				capacity: mmc.NewCapacity(0xffffffff),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Free: 2295104, Total: 2295104, WriteUnit: 16, Unformatted: true},
		},
		{
			name: "DVD+RW whose formatting was stopped",
			drive: drive{
				conf:     conf(mmc.ProfileDVDPlusRW, mmc.FeatureDVDPlusRW),
				di:       with(discInfo(mmc.DiscComplete, mmc.SessionIncomplete, 1, 1, 1), func(d mmc.DiscInformation) { d.SetBGFormat(mmc.BGFormatStopped) }),
				capacity: mmc.NewCapacity(99999),
				formats:  mmc.NewFormatCapacities(mmc.CapacityFormatted, 2295104).Append(mmc.FormatDescriptor{Blocks: 2295104, Type: mmc.FormatDVDPlusRW}),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Capacity: 100000, Free: 2295104, Total: 2295104, WriteUnit: 16, FormatStopped: true},
			sess: "1+:0+100000a",
		},
		{
			name: "BD-RE as sold",
			drive: drive{
				conf:    conf(mmc.ProfileBDRE, mmc.FeatureBDWrite),
				di:      discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				formats: mmc.NewFormatCapacities(mmc.CapacityUnformatted, 12219392).Append(mmc.FormatDescriptor{Blocks: 11826176, Type: mmc.FormatFull}),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Free: 11826176, Total: 11826176, WriteUnit: 32, Unformatted: true},
		},
		{
			name: "DVD-RAM in a cartridge that is write protected",
			drive: drive{
				conf:     conf(mmc.ProfileDVDRAM),
				di:       discInfo(mmc.DiscOther, mmc.SessionComplete, 1, 1, 1),
				formats:  mmc.NewFormatCapacities(mmc.CapacityFormatted, 2236704),
				capacity: mmc.NewCapacity(2236703),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Free: 2236704, Total: 2236704, Capacity: 2236704, WriteUnit: 16},
			sess: "1+:0+2236704a", why: "write protected",
		},
		{
			name: "BD-RE without any format on offer",
			drive: drive{
				conf:    conf(mmc.ProfileBDRE, mmc.FeatureBDWrite),
				di:      discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				formats: mmc.NewFormatCapacities(mmc.CapacityUnformatted, 12219392),
			},
			want: Info{Kind: Overwritable, Status: Appendable, WriteUnit: 32, Unformatted: true},
			why:  "not formatted",
		},
		{
			name: "image file that grows",
			drive: drive{
				conf:     conf(mmc.ProfileBDRE, mmc.FeatureBDWrite),
				di:       discInfo(mmc.DiscOther, mmc.SessionComplete, 1, 1, 1),
				formats:  mmc.NewFormatCapacities(mmc.CapacityFormatted, 1<<26),
				capacity: mmc.NewCapacity(999),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Capacity: 1000, Free: 1 << 26, Total: 1 << 26, WriteUnit: 32},
			sess: "1+:0+1000a",
		},
		{
			name: "CD-ROM in a drive that knows neither READ DISC INFORMATION nor READ TRACK INFORMATION",
			drive: drive{
				conf:     conf(mmc.ProfileCDROM),
				capacity: mmc.NewCapacity(99999),
				toc:      mmc.NewTOC(1, 3).Append(1, 0, 0).Append(2, mmc.ControlData, 20000).Append(3, mmc.ControlData, 40000).Append(mmc.TOCLeadOut, mmc.ControlData, 100000),
				multi:    mmc.NewTOC(1, 3).Append(3, mmc.ControlData, 40000),
			},
			want: Info{Kind: ReadOnly, Status: Complete, LastSession: 40000, Capacity: 100000, Total: 100000},
			sess: "1+:0+20000a,20000+20000 3+:40000+60000", why: "pressed or closed",
		},
		{
			name: "DVD-ROM with a single track and no multisession information",
			drive: drive{
				conf:     conf(mmc.ProfileDVDROM),
				capacity: mmc.NewCapacity(1999),
				toc:      mmc.NewTOC(1, 1).Append(1, mmc.ControlData, 0).Append(mmc.TOCLeadOut, mmc.ControlData, 2000),
			},
			want: Info{Kind: ReadOnly, Status: Complete, Capacity: 2000, Total: 2000},
			sess: "1+:0+2000", why: "pressed or closed",
		},
		{
			name: "DVD-R with two sessions",
			drive: drive{
				conf:     conf(mmc.ProfileDVDR, mmc.FeatureIncremental),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 3, 3, 3),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: closed(2, 2, 28000, 1600), 3: empty(3, 3, 40000, 2000000)},
				capacity: mmc.NewCapacity(29599),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 40000, Free: 2000000, LastSession: 28000, Capacity: 29600, Total: 2040000, Gap: 9216, MinTrack: 16, WriteUnit: 16},
			sess: "1+:0+1600 2+:28000+1600",
		},
		{
			name: "DVD-R that was interrupted",
			drive: drive{
				conf:     conf(mmc.ProfileDVDR, mmc.FeatureIncremental, mmc.FeatureDVDRWrite),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionIncomplete, 2, 2, 2),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: open(2, 2, 28000, 28160, 2000000)},
				capacity: mmc.NewCapacity(1599),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 28160, Free: 2000000, Capacity: 1600, Total: 2028160, Gap: 9216, MinTrack: 16, WriteUnit: 16},
			sess: "1+:0+1600 2-:28000+160", open: "2 at 28000, open at 28160",
		},
		{
			name: "DVD-R whose recording at once was interrupted",
			drive: drive{
				conf: conf(mmc.ProfileDVDR, mmc.FeatureIncremental, mmc.FeatureDVDRWrite),
				di:   discInfo(mmc.DiscIncomplete, mmc.SessionDamaged, 1, 1, 1),
				tracks: tracks{1: with(closed(1, 1, 0, 2000), func(t mmc.TrackInformation) {
					t.SetDamage(true)
					t.SetReserved(true)
				})},
			},
			want: Info{Kind: Sequential, Status: Appendable, Gap: 49152, MinTrack: 16, WriteUnit: 16},
			sess: "1-:0+2000", open: "1 at 0, damaged",
		},
		{
			name: "DVD-RW that was blanked minimally",
			drive: drive{
				conf:   conf(mmc.ProfileDVDRWSeq, mmc.FeatureDVDRWrite),
				di:     discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				tracks: tracks{1: empty(1, 1, 0, 2298496)},
			},
			want: Info{Kind: Sequential, Status: Blank, Free: 2298496, Total: 2298496, Gap: 49152, MinTrack: 16, WriteUnit: 16},
			one:  "Blank the disc in full",
		},
		{
			name: "DVD-R in a drive that knows only disc at once",
			drive: drive{
				conf:   conf(mmc.ProfileDVDR, mmc.FeatureDVDRWrite),
				di:     discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				tracks: tracks{1: empty(1, 1, 0, 2298496)},
			},
			want: Info{Kind: Sequential, Status: Blank, Free: 2298496, Total: 2298496, Gap: 49152, MinTrack: 16, WriteUnit: 16},
			one:  "Use another disc or drive",
		},
		{
			name: "appendable DVD-R in a drive that knows only disc at once",
			drive: drive{
				conf:     conf(mmc.ProfileDVDR, mmc.FeatureDVDRWrite),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 2, 2, 2),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: empty(2, 2, 28000, 2000000)},
				capacity: mmc.NewCapacity(1599),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 28000, Free: 2000000, Capacity: 1600, Total: 2028000, Gap: 9216, MinTrack: 16, WriteUnit: 16},
			sess: "1+:0+1600", why: "does not add sessions",
		},
		{
			name: "blank DVD-R DL",
			drive: drive{
				conf:   conf(mmc.ProfileDVDRDL, mmc.FeatureDVDRWrite),
				di:     discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				tracks: tracks{1: empty(1, 1, 0, 4171712)},
			},
			want: Info{Kind: ReadOnly, Status: Blank},
			why:  "only a single session",
		},
		{
			name: "DVD-R DL written by layer jump",
			drive: drive{
				conf:     conf(mmc.ProfileDVDRDLJump),
				di:       discInfo(mmc.DiscComplete, mmc.SessionComplete, 1, 1, 1),
				tracks:   tracks{1: closed(1, 1, 0, 1600)},
				capacity: mmc.NewCapacity(1599),
			},
			want: Info{Kind: ReadOnly, Status: Complete, Capacity: 1600, Total: 1600},
			sess: "1+:0+1600", why: "only a single session",
		},
		{
			name: "DVD+R DL with a session",
			drive: drive{
				conf:     conf(mmc.ProfileDVDPlusRDL, mmc.FeatureDVDPlusRDL),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 2, 2, 2),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: empty(2, 2, 3648, 4000000)},
				capacity: mmc.NewCapacity(1599),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 3648, Free: 4000000, Capacity: 1600, Total: 4003648, Gap: 2080, MinTrack: 16, WriteUnit: 16},
			sess: "1+:0+1600",
		},
		{
			name: "DVD-RW formatted whole for restricted overwrite",
			drive: drive{
				conf:     conf(mmc.ProfileDVDRWOver, mmc.FeatureRigidRestricted),
				di:       discInfo(mmc.DiscComplete, mmc.SessionComplete, 1, 1, 1),
				formats:  restrictedFormats(mmc.CapacityFormatted, 2297888, 0),
				tracks:   tracks{1: closed(1, 1, 0, 2297888)},
				capacity: mmc.NewCapacity(2297887),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Free: 2297888, Capacity: 2297888, Formatted: 2297888, Total: 2297888, WriteUnit: 16},
			sess: "1+:0+2297888a",
		},
		{
			name: "DVD-RW in restricted overwrite that can grow",
			drive: drive{
				conf:     conf(mmc.ProfileDVDRWOver, mmc.FeatureRestrictedOver),
				di:       discInfo(mmc.DiscComplete, mmc.SessionComplete, 1, 1, 1),
				formats:  restrictedFormats(mmc.CapacityFormatted, 4096, 2293792),
				tracks:   tracks{1: closed(1, 1, 0, 4096)},
				capacity: mmc.NewCapacity(4095),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Free: 2297888, Capacity: 4096, Formatted: 4096, Total: 2297888, WriteUnit: 16},
			sess: "1+:0+4096a",
		},
		{
			name: "DVD-RW formatted quickly and not written since",
			drive: drive{
				conf:     conf(mmc.ProfileDVDRWOver, mmc.FeatureRigidRestricted),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionIncomplete, 1, 1, 1),
				formats:  restrictedFormats(mmc.CapacityNoMedium, 0, 0),
				tracks:   tracks{1: empty(1, 1, 0, 0)},
				capacity: mmc.NewCapacity(0),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Free: 2297888, Total: 2297888, WriteUnit: 16},
		},
		{
			name: "DVD-RW whose growth was interrupted",
			drive: drive{
				conf:     conf(mmc.ProfileDVDRWOver, mmc.FeatureRigidRestricted),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionIncomplete, 1, 1, 1),
				formats:  restrictedFormats(mmc.CapacityNoMedium, 0, 0),
				tracks:   tracks{1: closed(1, 1, 0, 4096)},
				capacity: mmc.NewCapacity(4095),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Free: 2297888, Capacity: 4096, Formatted: 4096, Total: 2297888, WriteUnit: 16},
			sess: "1-:0+4096a", open: "1 at 0, closed",
		},
		{
			name: "BD-R in a drive that tells no track mode",
			drive: drive{
				conf:     conf(mmc.ProfileBDRSRM, mmc.FeatureBDWrite),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 2, 2, 2),
				tracks:   tracks{1: with(closed(1, 1, 0, 320), func(t mmc.TrackInformation) { t.SetTrackMode(0) }), 2: empty(2, 2, 640, 1000)},
				capacity: mmc.NewCapacity(319),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 640, Free: 1000, Capacity: 320, Total: 1640, Gap: 2112, MinTrack: 32, WriteUnit: 32},
			sess: "1+:0+320",
		},
		{
			name: "appendable DVD+R in a drive that reads such media only",
			drive: drive{
				conf: mmc.NewConfiguration(mmc.ProfileDVDPlusR, mmc.NewProfileList(mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusR),
					mmc.NewFeature(mmc.FeatureDVDPlusR, 0, false, true, 0, 0, 0, 0)),
				di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 2, 2, 2),
				tracks:   tracks{1: closed(1, 1, 0, 1600), 2: empty(2, 2, 3648, 2000000)},
				capacity: mmc.NewCapacity(1599),
			},
			want: Info{Kind: Sequential, Status: Appendable, NWA: 3648, Free: 2000000, Capacity: 1600, Total: 2003648, Gap: 2080, MinTrack: 16, WriteUnit: 16},
			sess: "1+:0+1600", why: "can only read",
		},
		{
			name: "blank DVD-R, in which READ CAPACITY looks for a lead-in",
			drive: drive{
				conf:   conf(mmc.ProfileDVDR, mmc.FeatureIncremental),
				di:     discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				tracks: tracks{1: empty(1, 1, 0, 2298496)},
				before: func(cmd *mmc.Command) error {
					if cmd.Opcode() == mmc.OpReadCapacity {
						return refused(cmd, mmc.KeyMediumError, 0x02, 0)
					}
					return nil
				},
			},
			want: Info{Kind: Sequential, Status: Blank, Free: 2298496, Total: 2298496, Gap: 49152, MinTrack: 16, WriteUnit: 16},
		},
		{
			name: "new BD-RE, which the drive is not ready to read",
			drive: drive{
				ready: []error{refused(&mmc.Command{}, mmc.KeyNotReady, 0x30, 0x10)},
				conf:  conf(mmc.ProfileBDRE, mmc.FeatureBDWrite),
				di:    discInfo(mmc.DiscEmpty, mmc.SessionEmpty, 1, 1, 1),
				formats: mmc.NewFormatCapacities(mmc.CapacityUnformatted, 12219392).
					Append(mmc.FormatDescriptor{Blocks: 11826176, Type: mmc.FormatFull}),
			},
			want: Info{Kind: Overwritable, Status: Appendable, Free: 11826176, Total: 11826176, WriteUnit: 32, Unformatted: true},
		},
		{
			name: "DVD-RAM whose formatting failed",
			drive: drive{
				ready: []error{refused(&mmc.Command{}, mmc.KeyMediumError, 0x31, 0x01), refused(&mmc.Command{}, mmc.KeyMediumError, 0x31, 0x01),
					refused(&mmc.Command{}, mmc.KeyMediumError, 0x31, 0x01), refused(&mmc.Command{}, mmc.KeyMediumError, 0x31, 0x01), refused(&mmc.Command{}, mmc.KeyMediumError, 0x31, 0x01)},
				conf: conf(mmc.ProfileDVDRAM, mmc.FeatureRandomWritable),
				formats: mmc.NewFormatCapacities(mmc.CapacityUnformatted, 2295072).
					Append(mmc.FormatDescriptor{Blocks: 2236704, Type: mmc.FormatFull}),
				before: func(cmd *mmc.Command) error {
					if cmd.Opcode() == mmc.OpReadCapacity {
						return refused(cmd, mmc.KeyMediumError, 0x31, 0)
					}
					return nil
				},
			},
			want: Info{Kind: Overwritable, Status: Appendable, Free: 2236704, Total: 2236704, WriteUnit: 16, Unformatted: true},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := inspectDrive(t, &c.drive)
			if err != nil {
				t.Fatal(err)
			}
			got := Info{
				Kind: in.Kind, Status: in.Status, LastSession: in.LastSession, NWA: in.NWA, Free: in.Free, Capacity: in.Capacity,
				Total: in.Total, WriteUnit: in.WriteUnit, Gap: in.Gap, MinTrack: in.MinTrack, Unformatted: in.Unformatted, FormatStopped: in.FormatStopped,
				Formatted: in.Formatted,
			}
			if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", c.want); g != w {
				t.Errorf("\n got %s\nwant %s", g, w)
			}
			if s := sessions(in); s != c.sess {
				t.Errorf("sessions %q, want %q", s, c.sess)
			}
			if s := openTrack(in); s != c.open {
				t.Errorf("open track %q, want %q", s, c.open)
			}
			if (c.why == "") != (in.NotWritableReason == "") || !strings.Contains(in.NotWritableReason, c.why) {
				t.Errorf("reason %q, want %q", in.NotWritableReason, c.why)
			}
			if (c.one == "") != (in.OneSession == "") || !strings.Contains(in.OneSession, c.one) {
				t.Errorf("one session %q, want %q", in.OneSession, c.one)
			}
			if in.Writable() != (c.why == "" && c.open == "") {
				t.Error("Writable is wrong")
			}
		})
	}
}

// restrictedFormats is what a drive tells of a DVD-RW in restricted overwrite.
func restrictedFormats(t mmc.CapacityType, blocks, grow uint32) mmc.FormatCapacities {
	const whole = 2297888
	f := mmc.NewFormatCapacities(t, blocks).
		Append(mmc.FormatDescriptor{Blocks: whole, Type: mmc.FormatFull}).
		Append(mmc.FormatDescriptor{Blocks: whole, Type: mmc.FormatDVDRWQuick, Parameter: 16})
	if t != mmc.CapacityFormatted {
		return f
	}
	return f.Append(mmc.FormatDescriptor{Blocks: grow, Type: mmc.FormatDVDRWQGrow, Parameter: 16})
}

func sessions(in *Info) string {
	var out []string
	for _, s := range in.Sessions {
		var ts []string
		for _, t := range s.Tracks {
			mark := ""
			if t.Audio || in.Kind == Overwritable {
				mark = "a"
			}
			ts = append(ts, fmt.Sprintf("%d+%d%s", t.Start, t.Blocks, mark))
		}
		out = append(out, fmt.Sprintf("%d%c:%s", s.Number, map[bool]byte{true: '+', false: '-'}[s.Complete], strings.Join(ts, ",")))
	}
	return strings.Join(out, " ")
}

func openTrack(in *Info) string {
	t := in.OpenTrack
	switch {
	case t == nil:
		return ""
	case t.Damaged:
		return fmt.Sprintf("%d at %d, damaged", t.Number, t.Start)
	case t.Open:
		return fmt.Sprintf("%d at %d, open at %d", t.Number, t.Start, t.NWA)
	}
	return fmt.Sprintf("%d at %d, closed", t.Number, t.Start)
}

// TestSessionLimits fills media with as many sessions as they can have.
func TestSessionLimits(t *testing.T) {
	for _, c := range []struct {
		profile mmc.Profile
		feature mmc.FeatureCode
		n       int
		why     string
	}{
		{mmc.ProfileDVDPlusR, mmc.FeatureDVDPlusR, 152, ""},
		{mmc.ProfileDVDPlusR, mmc.FeatureDVDPlusR, 153, "153 sessions"},
		{mmc.ProfileCDR, mmc.FeatureCDTrackAtOnce, 98, ""},
		{mmc.ProfileCDR, mmc.FeatureCDTrackAtOnce, 99, "99 tracks"},
		{mmc.ProfileBDRSRM, mmc.FeatureBDWrite, 299, ""},
		{mmc.ProfileBDRSRM, mmc.FeatureBDWrite, 300, "300 sessions"},
		{mmc.ProfileBDRSRM, mmc.FeatureBDWrite, 400, "400 sessions"},
	} {
		d := &drive{conf: conf(c.profile, c.feature), di: discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, c.n+1, c.n+1, c.n+1), tracks: tracks{}, capacity: mmc.NewCapacity(1)}
		for n := range c.n {
			d.tracks[uint32(n+1)] = closed(n+1, n+1, uint32(n)*1000, 304)
		}
		d.tracks[uint32(c.n+1)] = empty(c.n+1, c.n+1, uint32(c.n)*1000, 100000)
		in, err := inspectDrive(t, d)
		if err != nil {
			t.Fatal(err)
		}
		if len(in.Sessions) != c.n || (c.why == "") != (in.NotWritableReason == "") || !strings.Contains(in.NotWritableReason, c.why) {
			t.Errorf("%v with %d sessions: %d found, %q", c.profile, c.n, len(in.Sessions), in.NotWritableReason)
		}
	}
}

// TestInspectErrors has commands fail that inspection cannot do without, and
// media that change under it.
func TestInspectErrors(t *testing.T) {
	good := func() *drive {
		return &drive{
			conf:     conf(mmc.ProfileBDRSRM, mmc.FeatureBDWrite),
			di:       discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 2, 2, 2),
			tracks:   tracks{1: closed(1, 1, 0, 320), 2: empty(2, 2, 640, 1000)},
			capacity: mmc.NewCapacity(319),
		}
	}
	synctest.Test(t, func(t *testing.T) {
		for op := range 256 {
			d := good()
			failing := mmc.Opcode(op)
			d.before = func(cmd *mmc.Command) error {
				if cmd.Opcode() == failing {
					return refused(cmd, mmc.KeyHardwareError, 0x44, 0)
				}
				return nil
			}
			_, err := inspectDrive(t, d)
			asked := failing == mmc.OpTestUnitReady || failing == mmc.OpGetConfiguration || failing == mmc.OpReadCapacity ||
				failing == mmc.OpReadDiscInformation || failing == mmc.OpReadTrackInformation
			if asked != errors.Is(err, mmc.ErrHardware) {
				t.Errorf("%v fails: %v", failing, err)
			}
		}
		d := good()
		changed := 0
		d.before = func(cmd *mmc.Command) error {
			if cmd.Opcode() == mmc.OpReadTrackInformation && changed < 2 {
				changed++
				return refused(cmd, mmc.KeyUnitAttention, 0x28, 0)
			}
			return nil
		}
		in, err := inspectDrive(t, d)
		if err != nil || in.Changes != 2 || in.NWA != 640 {
			t.Errorf("a medium that changed twice: %+v, %v", in, err)
		}
		changed = -10
		if _, err := inspectDrive(t, d); !errors.Is(err, mmc.ErrMediumChanged) {
			t.Errorf("a medium that keeps changing: %v", err)
		}
		d = good()
		d.ready = []error{refused(&mmc.Command{}, mmc.KeyNotReady, 0x3a, 1)}
		if _, err := inspectDrive(t, d); !errors.Is(err, mmc.ErrNoMedium) {
			t.Errorf("no medium: %v", err)
		}
		d = good()
		d.conf = conf(mmc.ProfileNone)
		if _, err := inspectDrive(t, d); err == nil {
			t.Error("an unknown medium is described")
		}
	})
}

// FuzzInspect answers an inspection with any bytes: it ends, without panic, and
// what it says agrees with itself.
func FuzzInspect(f *testing.F) {
	profiles := []mmc.Profile{mmc.ProfileCDR, mmc.ProfileDVDPlusR, mmc.ProfileBDRSRM, mmc.ProfileBDRE, mmc.ProfileDVDPlusRW, mmc.ProfileCDROM, mmc.ProfileDVDR, mmc.ProfileDVDRWOver, mmc.ProfileDVDRDL}
	f.Add(uint8(0), []byte(discInfo(mmc.DiscIncomplete, mmc.SessionEmpty, 2, 2, 2)), []byte(closed(1, 1, 0, 302)), []byte(empty(2, 2, 11702, 1000)), []byte(mmc.NewTOC(1, 1).Append(1, 4, 0)), []byte(mmc.NewFormatCapacities(2, 5)))
	f.Add(uint8(5), []byte{}, []byte{}, []byte{}, []byte(mmc.NewTOC(1, 2).Append(1, 4, 0).Append(2, 4, 11702)), []byte{})
	f.Fuzz(func(t *testing.T, profile uint8, di, first, last, toc, formats []byte) {
		p := profiles[int(profile)%len(profiles)]
		d := &drive{conf: conf(p, mmc.FeatureCDTrackAtOnce, mmc.FeatureDVDPlusR, mmc.FeatureBDWrite), di: di, toc: toc, multi: toc, formats: formats, capacity: mmc.NewCapacity(4711)}
		d.tracks = tracks{1: first}
		commands := 0
		d.before = func(cmd *mmc.Command) error {
			if commands++; commands > 4*maxTrackNumber {
				t.Fatal("the inspection does not end")
			}
			if cmd.Opcode() == mmc.OpReadTrackInformation {
				if n := cmd.CDB[5]; n > 1 {
					d.tracks[uint32(n)] = last
				}
			}
			return nil
		}
		synctest.Test(t, func(t *testing.T) {
			in, err := inspectDrive(t, d)
			if err != nil {
				return
			}
			for _, s := range in.Sessions {
				if len(s.Tracks) == 0 {
					t.Errorf("session %d has no tracks", s.Number)
				}
			}
			if in.OpenTrack != nil && in.LastComplete() == &in.Sessions[len(in.Sessions)-1] {
				t.Error("an open track in a complete session")
			}
			for _, s := range in.Sessions {
				for _, t0 := range s.Tracks {
					if t0.Start+t0.Blocks < t0.Start || t0.NWA+t0.Free < t0.NWA {
						t.Errorf("a track beyond the address space: %+v", t0)
					}
				}
			}
			if in.NWA+in.Free < in.NWA {
				t.Errorf("room beyond the address space: %+v", in)
			}
			if in.Writable() && in.Free == 0 {
				t.Errorf("writable without room: %+v", in)
			}
		})
	})
}
