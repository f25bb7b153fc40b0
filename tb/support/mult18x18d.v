// MULT18X18D of Lattice ECP5 as its usage guide (FPGA-TN-02205) describes it, for simulation:
// 18 x 18 multiplier with optional input, pipeline and output registers, clock enables and
// synchronous resets. Yosys ships only an empty module. Only what Weft uses is modelled; a
// parameter or an input outside of that makes the product unknown.

module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0",
    parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0",
    parameter REG_INPUTC_CLK = "NONE", REG_INPUTC_CE = "CE0", REG_INPUTC_RST = "RST0",
    parameter REG_PIPELINE_CLK = "NONE", REG_PIPELINE_CE = "CE0", REG_PIPELINE_RST = "RST0",
    parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0",
    parameter CLK0_DIV = "ENABLED", CLK1_DIV = "ENABLED", CLK2_DIV = "ENABLED",
    parameter CLK3_DIV = "ENABLED", HIGHSPEED_CLK = "NONE", GSR = "ENABLED",
    parameter CAS_MATCH_REG = "FALSE", SOURCEB_MODE = "B_SHIFT", MULT_BYPASS = "DISABLED",
    parameter RESETMODE = "SYNC"
) (
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CE0, RST0,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
    output P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
    // every register is on CLK0, CE0, RST0, or absent
    function known(input [8*6-1:0] clk, input [8*6-1:0] ce, input [8*6-1:0] rst);
        known = clk == "NONE" || (clk == "CLK0" && ce == "CE0" && rst == "RST0");
    endfunction

    wire [17:0] a_pins = {A17, A16, A15, A14, A13, A12, A11, A10, A9,
                          A8, A7, A6, A5, A4, A3, A2, A1, A0};
    wire [17:0] b_pins = {B17, B16, B15, B14, B13, B12, B11, B10, B9,
                          B8, B7, B6, B5, B4, B3, B2, B1, B0};

    reg [17:0] a_reg, b_reg;
    reg sa_reg, sb_reg;
    wire [17:0] a = REG_INPUTA_CLK == "NONE" ? a_pins : a_reg;
    wire [17:0] b = REG_INPUTB_CLK == "NONE" ? b_pins : b_reg;
    wire sa = REG_INPUTA_CLK == "NONE" ? SIGNEDA : sa_reg;
    wire sb = REG_INPUTB_CLK == "NONE" ? SIGNEDB : sb_reg;

    wire [35:0] product = {{18{sa & a[17]}}, a} * {{18{sb & b[17]}}, b};
    reg [35:0] pipeline_reg, output_reg;
    wire [35:0] pipelined = REG_PIPELINE_CLK == "NONE" ? product : pipeline_reg;
    wire [35:0] result = REG_OUTPUT_CLK == "NONE" ? pipelined : output_reg;

    always @(posedge CLK0) begin
        if (RST0) begin
            {a_reg, b_reg, sa_reg, sb_reg, pipeline_reg, output_reg} <= 0;
        end else if (CE0) begin
            a_reg <= a_pins;
            b_reg <= b_pins;
            sa_reg <= SIGNEDA;
            sb_reg <= SIGNEDB;
            pipeline_reg <= product;
            output_reg <= pipelined;
        end
    end

    wire modelled = known(REG_INPUTA_CLK, REG_INPUTA_CE, REG_INPUTA_RST)
        && known(REG_INPUTB_CLK, REG_INPUTB_CE, REG_INPUTB_RST)
        && known(REG_PIPELINE_CLK, REG_PIPELINE_CE, REG_PIPELINE_RST)
        && known(REG_OUTPUT_CLK, REG_OUTPUT_CE, REG_OUTPUT_RST)
        && REG_INPUTC_CLK == "NONE" && CLK0_DIV == "ENABLED" && MULT_BYPASS == "DISABLED"
        && SOURCEB_MODE == "B_SHIFT" && RESETMODE == "SYNC" && !SOURCEA && !SOURCEB;
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
            P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0}
        = modelled ? result : 36'bx;
endmodule
