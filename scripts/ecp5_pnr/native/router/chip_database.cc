#include "router/chip_database.h"

#include <cstdio>

namespace {

constexpr int SLOWEST_GRADE = 6;
// offsets of the members of ChipInfoPOD that are read, in bytes
constexpr size_t WIDTH = 0, HEIGHT = 4, LOCATIONS = 16, LOCATION_TYPE = 24, SPEED_GRADES = 72;
constexpr size_t TILE_TYPE_SIZE = 24, TILE_TYPE_WIRES = 8, TILE_TYPE_PIPS = 16;
constexpr size_t WIRE_SIZE = 32, PIP_SIZE = 20;
constexpr size_t GRADE_SIZE = 16, GRADE_PIP_CLASSES = 8;
constexpr size_t CLASS_SIZE = 16, CLASS_MAX_BASE = 4, CLASS_MAX_FANOUT = 12;
constexpr float PICOSECOND = 1e-3f;     // ns

}  // namespace

ChipDatabase::ChipDatabase(const char *path) {
    load(path);
    read_tiles(read<int32_t>(0));
}

void ChipDatabase::load(const char *path) {
    std::FILE *file = std::fopen(path, "rb");
    if (!file) std::exit(FILE_ERROR);
    char block[1 << 16];
    for (size_t got; (got = std::fread(block, 1, sizeof block, file));)
        bytes.insert(bytes.end(), block, block + got);
    std::fclose(file);
    bytes.push_back(0);                 // ends the last text of a damaged file
}

void ChipDatabase::read_tiles(size_t chip) {
    width = read<int32_t>(chip + WIDTH), height = read<int32_t>(chip + HEIGHT);
    Slice types = read_slice(chip + LOCATIONS), tiles = read_slice(chip + LOCATION_TYPE);
    if (width < 1 || height < 1 || tiles.size != static_cast<uint32_t>(width * height))
        std::exit(UNKNOWN_DATABASE);
    for (uint32_t at = 0; at < types.size; ++at)
        tile_types.push_back(read_tile_type(types.at + TILE_TYPE_SIZE * at));
    for (uint32_t at = 0; at < tiles.size; ++at) {
        int type = read<int32_t>(tiles.at + 4 * at);
        if (type < 0 || type >= static_cast<int>(tile_types.size())) std::exit(UNKNOWN_DATABASE);
        type_of_tile.push_back(type);
    }
}

ChipDatabase::TileType ChipDatabase::read_tile_type(size_t at) const {
    TileType type{read_slice(at + TILE_TYPE_WIRES), {}};
    Slice pips = read_slice(at + TILE_TYPE_PIPS);
    // the counts of a damaged file may be anything
    read<char>(type.wires.at + WIRE_SIZE * size_t{type.wires.size});
    read<char>(pips.at + PIP_SIZE * size_t{pips.size});
    for (uint32_t index = 0; index < pips.size; ++index) {
        size_t pip = pips.at + PIP_SIZE * index;
        type.pips.push_back({
            read<int16_t>(pip), read<int16_t>(pip + 2), read<int16_t>(pip + 4),
            read<int16_t>(pip + 6), read<int16_t>(pip + 8), read<int16_t>(pip + 10),
            read<uint16_t>(pip + 12), read<uint8_t>(pip + 16), read<uint8_t>(pip + 17) != 0});
    }
    return type;
}

std::vector<ChipDatabase::PipDelay> ChipDatabase::read_pip_delays(int grade) const {
    Slice grades = read_slice(read<int32_t>(0) + SPEED_GRADES);
    int index = grade - SLOWEST_GRADE;
    if (index < 0 || index >= static_cast<int>(grades.size)) std::exit(UNKNOWN_DATABASE);
    Slice classes = read_slice(grades.at + GRADE_SIZE * index + GRADE_PIP_CLASSES);
    std::vector<PipDelay> delays;
    for (uint32_t at = 0; at < classes.size; ++at) {
        size_t pip_class = classes.at + CLASS_SIZE * at;
        delays.push_back({read<int32_t>(pip_class + CLASS_MAX_BASE) * PICOSECOND,
                          read<int32_t>(pip_class + CLASS_MAX_FANOUT) * PICOSECOND});
    }
    return delays;
}

const char *ChipDatabase::wire_name(const TileType &type, uint32_t index) const {
    size_t at = type.wires.at + WIRE_SIZE * index;
    size_t from = at + read<int32_t>(at);
    if (from >= bytes.size()) std::exit(UNKNOWN_DATABASE);
    return bytes.data() + from;
}
