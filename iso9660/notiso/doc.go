// Package notiso recognises what is recorded where no ISO 9660 volume is, so
// that a user can be told what the disc is and what can read it. It looks for
// the marks that these formats have at places of their own, counted in bytes from
// the beginning of the disc or session:
//
//	0        XFS "XFSB", squashfs "hsqs", Apple partitions "ER", LUKS
//	3        NTFS, exFAT
//	32       APFS "NXSB"
//	510      boot sector of FAT, table of partitions
//	1024     HFS "BD", HFS+ "H+" "HX", EROFS
//	1080     ext2, ext3, ext4
//	32768    (block 16) High Sierra "CDROM", CD-i "CD-I ", UDF "BEA01" … "NSR02"
//	65600    btrfs
//
// A mark says what the disc was made to be, not that it is whole.
package notiso
