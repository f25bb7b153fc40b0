// Reader of nextpnr's device database, chipdb-*.bin, as nextpnr-ecp5 0.11 lays it out.
//
// Numbers are little-endian. A slice of structures is an offset, relative to its own position, and
// a count; a text is such an offset alone. The structures are those of ecp5/arch.h in nextpnr.

#ifndef ECP5_PNR_CHIP_DATABASE_H
#define ECP5_PNR_CHIP_DATABASE_H

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "common/exit_status.h"

// Ends the program with an exit status where the file cannot be read, or lacks what is read.
class ChipDatabase {
public:
    struct Slice { size_t at; uint32_t size; };
    // A pip from wire `from` of the tile that is from_x, from_y away, to wire `to` (PipInfoPOD).
    struct PipInfo {
        int16_t from_x, from_y, to_x, to_y, from, to;
        uint16_t delay_class;
        uint8_t lut_inputs;             // lower byte of lutperm_flags: the logical input in bits 0
                                        // and 1, the physical one in bits 2 and 3
        bool permutes_lut;              // a bit of the upper byte is set
    };
    // Wires (WireInfoPOD) and pips of all tiles of a type (LocationTypePOD).
    struct TileType {
        Slice wires;
        std::vector<PipInfo> pips;
    };
    struct PipDelay { float base, per_fanout; };        // ns

    int width, height;                  // tiles
    std::vector<TileType> tile_types;
    std::vector<int> type_of_tile;      // row by row

    explicit ChipDatabase(const char *path);

    // Longest delay of each class of pips; `grade` is 6, 7, or 8.
    std::vector<PipDelay> read_pip_delays(int grade) const;
    const char *wire_name(const TileType &type, uint32_t index) const;

private:
    std::vector<char> bytes;

    void load(const char *path);
    void read_tiles(size_t chip);
    TileType read_tile_type(size_t at) const;
    template <typename Type> Type read(size_t at) const {
        Type value;
        if (at + sizeof value > bytes.size()) std::exit(UNKNOWN_DATABASE);
        std::memcpy(&value, bytes.data() + at, sizeof value);
        return value;
    }
    Slice read_slice(size_t at) const {
        return {at + read<int32_t>(at), read<uint32_t>(at + 4)};
    }
};

#endif
