// Regions: sets of bels of one form, whose contents are swapped.

#ifndef ECP5_PNR_REGION_H
#define ECP5_PNR_REGION_H

#include "common/random.h"
#include "refiner/placement.h"

constexpr int MAX_TILES = 60;           // of a region that moves

enum RegionForm { LUT, FF, LUT_AND_FF, SLICE, SLICE_PAIR, WHOLE_TILES, SITE };

// `first` is the first LUT or FF in the tile. WHOLE_TILES are `tile_count` consecutive tiles of a
// row; for the other forms `tile_count` is 1.
struct Region { int tile, first, form, tile_count; };

template <typename Visit> void for_each_bel(const Region &region, Visit visit) {
    switch (region.form) {
    case LUT: visit(region.tile, region.first); break;
    case FF: visit(region.tile, LUTS + region.first); break;
    case WHOLE_TILES:
        for (int tile = 0; tile < region.tile_count; ++tile)
            for (int bel = 0; bel < BELS; ++bel) visit(region.tile + tile, bel);
        break;
    case SITE: visit(region.tile, 0); break;
    default: {
        int size = region.form == LUT_AND_FF ? 1 : region.form == SLICE ? 2 : 4;
        for (int at = 0; at < size; ++at) {
            visit(region.tile, region.first + at);
            visit(region.tile, LUTS + region.first + at);
        }
    }
    }
}

// Sets `region` to the smallest one around a cluster; false if the cluster cannot move.
bool find_region(const Placement &placement, const Cluster &cluster, Region &region);

// Gives `to`, whose tile is set, the form of `from` at a random position in that tile; false if it
// does not fit there, or is `from` itself.
bool fit_region(const Placement &placement, const Region &from, Region &to, Random &random);

// Appends the cells of the region to `inside`; false if a cluster of theirs is fixed or has cells
// elsewhere. `clusters` is scratch space.
bool collect_cells(const Placement &placement, const Region &region, std::vector<int> &inside,
                   std::vector<int> &clusters);

bool is_legal(const Placement &placement, const Region &region);
bool is_empty(const Placement &placement, const Region &region);
void swap_regions(Placement &placement, const Region &one, const Region &other);

#endif
