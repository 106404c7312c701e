#pragma once

// A library to be loaded before a program (LD_PRELOAD) that kills it at one of its writes, syncs,
// truncations or deletions of the files `relay.db*` of a folder. Its environment says when:
//
//   KILL_SWITCH_FOLDER   the folder
//   KILL_SWITCH_AT       at which of these operations, from 1
//   KILL_SWITCH_POWER    a seed: the files are left as after a power cut, see DiskImages.h
//   KILL_SWITCH_UNSYNCED set: syncs do nothing
